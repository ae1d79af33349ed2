// What a topic of ours must be like, and what becomes of one that is not: some settings lose records at once, and are refused;
// others lose them on a bad day, and are told, once in a process's life and for all topics in one line (promise C).
import { type Logger, TailwaterError } from '@tailwater/runtime';

/** Bytes of the largest record batch: a document of 16 MB, its update description, key and framing. */
export const MAX_MESSAGE_BYTES = 20 * 1024 * 1024;
/** A topic that takes less is of no use. */
const LEAST_MESSAGE_BYTES = 64 * 1024;
const DAY_MS = 24 * 3600 * 1000;
/** How long readers may be away before they miss a tombstone, in milliseconds. */
export const DELETE_RETENTION_MS = 7 * DAY_MS;
const MINUTE_MS = 60_000;

/** A topic as the broker describes it. */
export interface DescribedTopic {
  readonly topic: string;
  readonly replicas: number;
  readonly settings: ReadonlyMap<string, string>;
}

/** What a topic holds. */
export type TopicKind = 'documents' | 'checkpoints';

interface Advice {
  readonly setting: string;
  /** Checkpoints are read whole, and rewritten often: how long deletes stay, and how soon it is cleaned, loses nothing of them. */
  readonly kinds: readonly TopicKind[];
  readonly isGood: (value: string, replicas: number) => boolean;
  readonly better: string;
  readonly why: string;
}

const ADVICE: readonly Advice[] = [
  {
    setting: 'max.message.bytes',
    kinds: ['documents'],
    isGood: (value) => Number(value) >= MAX_MESSAGE_BYTES,
    better: String(MAX_MESSAGE_BYTES),
    why: 'a larger document is put aside',
  },
  {
    setting: 'delete.retention.ms',
    kinds: ['documents'],
    isGood: (value) => Number(value) >= DAY_MS,
    better: String(DELETE_RETENTION_MS),
    why: 'a reader that is behind for longer misses deletes',
  },
  {
    setting: 'min.insync.replicas',
    kinds: ['documents', 'checkpoints'],
    isGood: (value, replicas) => replicas < 3 || Number(value) >= 2,
    better: '2',
    why: 'a record that one broker alone has is acknowledged, and lost with it',
  },
  {
    setting: 'unclean.leader.election.enable',
    kinds: ['documents', 'checkpoints'],
    isGood: (value) => value !== 'true',
    better: 'false',
    why: 'a replica that lacks acknowledged records may become the leader',
  },
  {
    setting: 'max.compaction.lag.ms',
    kinds: ['documents'],
    isGood: (value) => Number(value) >= MINUTE_MS,
    better: '9223372036854775807',
    why: 'the broker begins a new segment, and cleans, all the time',
  },
];

export const DESCRIBED_SETTINGS = ['cleanup.policy', ...ADVICE.map(({ setting }) => setting)];

/** Bytes of a record batch that the topic takes, where these are less than those of ours. */
export function smallerBatch({ settings }: DescribedTopic): number | undefined {
  const bytes = Number(settings.get('max.message.bytes') ?? MAX_MESSAGE_BYTES);
  return bytes < MAX_MESSAGE_BYTES ? bytes : undefined;
}

/** @throws TailwaterError TW1203 for a setting that loses records */
export function expectUsable({ topic, settings }: DescribedTopic, kind: TopicKind): void {
  const policy = settings.get('cleanup.policy') ?? '';
  if (policy !== 'compact') throw new TailwaterError('TW1203', { topic, setting: 'cleanup.policy', actual: policy, expected: 'compact' });
  const bytes = settings.get('max.message.bytes') ?? '0';
  if (Number(bytes) < (kind === 'documents' ? LEAST_MESSAGE_BYTES : MAX_MESSAGE_BYTES))
    throw new TailwaterError('TW1203', { topic, setting: 'max.message.bytes', actual: bytes, expected: MAX_MESSAGE_BYTES });
}

/** So many topics are named in a message; of more, a command finds the names. */
const NAMED_TOPICS = 20;

/** Tells of what it is shown, each topic and setting once in its life. */
export class TopicAdvice {
  readonly #brokers: string;
  readonly #prefix: string;
  readonly #logger: Logger;
  readonly #told = new Set<string>();

  constructor(brokers: string, prefix: string, logger: Logger) {
    this.#brokers = brokers;
    this.#prefix = prefix;
    this.#logger = logger;
  }

  settings(kind: TopicKind, described: readonly DescribedTopic[]): void {
    const found = ADVICE.filter(({ kinds }) => kinds.includes(kind))
      .map((advice) => ({
        ...advice,
        topics: described.filter(({ topic, replicas, settings }) => {
          const value = settings.get(advice.setting);
          return value !== undefined && !advice.isGood(value, replicas) && this.#isNew(`${advice.setting} ${topic}`);
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
      { code: 'TW1250', topics: all },
      `Settings of topics for ${kind} that may lose data: ${parts.join('; ')}. To mend them: ${command}`,
    );
  }

  /** Topics that have more partitions than they had when their first records were written. */
  grown(topics: readonly { readonly topic: string; readonly used: number; readonly partitions: number }[]): void {
    const found = topics.filter(({ topic, partitions }) => this.#isNew(`partitions ${topic} ${partitions}`));
    if (found.length === 0) return;
    const names = found.map(({ topic }) => topic);
    const { used, partitions } = found[0] as { used: number; partitions: number };
    this.#logger.warn(
      { code: 'TW1251', topics: names },
      `Partitions were added to ${named(names)} (${used} became ${partitions}). Records still go to the first ones, so that all of a document's stay in one; the others stay empty. To use them, have the topic made and filled anew: ${this.#forEach(names, `kafka-topics.sh --bootstrap-server ${this.#brokers} --delete --topic "$topic"`, false)}, with --partitions ${partitions} for the producer`,
    );
  }

  #isNew(told: string): boolean {
    const isNew = !this.#told.has(told);
    this.#told.add(told);
    return isNew;
  }

  #forEach(topics: readonly string[], command: string, mayFind = true): string {
    if (topics.length === 1) return command.replace('"$topic"', topics[0] as string);
    const pattern = `^${this.#prefix.replaceAll('.', '\\.')}\\.[^.]+\\.`;
    const list =
      mayFind && topics.length > NAMED_TOPICS
        ? `$(kafka-topics.sh --bootstrap-server ${this.#brokers} --list | grep '${pattern}')`
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
