// Tells of topics that may lose data on a bad day: once in a process's life, for all topics in one line, with the command that mends them (promise C).
import { errorCodes } from '../../errors/catalogue.js';
import type { Logger } from '../../logging/logger.js';
import type { DescribedTopic, TopicUse } from './setting-rules.js';

/** So many topics are named in a message; of more, a command finds the names. */
const NAMED_TOPICS = 20;

/** Tells of what it is shown, each topic and setting once in its life. */
export class TopicAdvice {
  readonly #brokers: string;
  readonly #prefix: string | undefined;
  readonly #logger: Logger;
  readonly #told = new Set<string>();

  /** @param prefix - of the topics, where there may be many */
  constructor(brokers: string, prefix: string | undefined, logger: Logger) {
    this.#brokers = brokers;
    this.#prefix = prefix;
    this.#logger = logger;
  }

  /** @param brokers - how many there are */
  found(use: TopicUse, described: readonly DescribedTopic[], brokers: number): void {
    this.#settings(use, described);
    this.#replicas(use, described, brokers);
  }

  #settings({ name, rules }: TopicUse, described: readonly DescribedTopic[]): void {
    const found = rules
      .map((rule) => ({
        ...rule,
        topics: described.filter((each) => {
          const value = each.settings.get(rule.setting);
          return value !== undefined && !rule.isGood(value, each) && this.#isNew(`${rule.setting} ${each.topic}`);
        }),
      }))
      .filter(({ topics }) => topics.length > 0);
    if (found.length === 0) return;
    const parts = found.map(
      ({ setting, topics, why }) => `${setting}=${topics[0]?.settings.get(setting)} of ${named(topics.map(({ topic }) => topic))} (${why})`,
    );
    const all = [...new Set(found.flatMap(({ topics }) => topics.map(({ topic }) => topic)))];
    const better = found.map(({ setting, better }) => `${setting}=${better}`).join();
    const command = this.#forEach(
      all,
      `kafka-configs.sh --bootstrap-server ${this.#brokers} --alter --topic "$topic" --add-config ${better}`,
    );
    this.#logger.warn(
      { code: errorCodes.UNSAFE_TOPIC_SETTINGS, topics: all },
      `Settings of topics for ${name} that may lose data: ${parts.join('; ')}. To mend them: ${command}`,
    );
  }

  /** Once for all topics of a use: those that are made later have as many. On one broker there is nothing to choose. */
  #replicas({ name }: TopicUse, described: readonly DescribedTopic[], brokers: number): void {
    const topics = described.filter(({ replicas }) => replicas === 1).map(({ topic }) => topic);
    if (brokers < 2 || topics.length === 0 || !this.#isNew(`replicas of ${name}`)) return;
    this.#logger.warn(
      { code: errorCodes.SINGLE_REPLICA_TOPICS, topics },
      `One broker of ${brokers} alone has each partition of ${named(topics)}, for ${name}: without it they are unavailable, and data that it loses is lost. For new topics, set default.replication.factor=3 at the brokers; add replicas to existing ones: kafka-reassign-partitions.sh --bootstrap-server ${this.#brokers} --reassignment-json-file <replicas> --execute`,
    );
  }

  /** Topics that have more partitions than they had when their first records were written. */
  grown(topics: readonly { readonly topic: string; readonly used: number; readonly partitions: number }[]): void {
    const found = topics.filter(({ topic, partitions }) => this.#isNew(`partitions ${topic} ${partitions}`));
    if (found.length === 0) return;
    const names = found.map(({ topic }) => topic);
    const { used, partitions } = found[0] as { used: number; partitions: number };
    this.#logger.warn(
      { code: errorCodes.PARTITIONS_ADDED, topics: names },
      `Partitions were added to ${named(names)} (${used} became ${partitions}). Records still go to the first ones, so that all records of a document stay in one; the others stay empty. To use them, have the topic recreated and filled again: ${this.#forEach(names, `kafka-topics.sh --bootstrap-server ${this.#brokers} --delete --topic "$topic"`, false)}, with --partitions ${partitions} for the producer`,
    );
  }

  #isNew(told: string): boolean {
    const isNew = !this.#told.has(told);
    this.#told.add(told);
    return isNew;
  }

  #forEach(topics: readonly string[], command: string, mayFind = true): string {
    if (topics.length === 1) return command.replace('"$topic"', topics[0] as string);
    const list =
      mayFind && this.#prefix !== undefined && topics.length > NAMED_TOPICS
        ? `$(kafka-topics.sh --bootstrap-server ${this.#brokers} --list | grep '^${this.#prefix.replaceAll('.', '\\.')}\\.[^.]+\\.')`
        : topics.join(' ');
    return `for topic in ${list}; do ${command}; done`;
  }
}

export function named(topics: readonly string[]): string {
  const [first, second, ...more] = topics;
  return second === undefined
    ? String(first)
    : more.length === 0
      ? `${first} and ${second}`
      : `${first}, ${second} and ${more.length} more`;
}
