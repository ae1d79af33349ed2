// Partitions that no broker leads at the moment: nothing can be read of them, and how much is in them is not known. Mostly all brokers that hold one are down. It is
// told in the log, in the status, and in the readiness of the process that would read them (promise H).
import { type Clock, errorCodes, type Logger, Outage, TailwaterError } from '@tailwater/runtime';
import { type LeaderlessPartition, partitionName, type TopicPartition } from './subscription.js';
import type { TopicCatalog } from './topic-catalog.js';

/** A leader that moves is between two brokers for a moment: that is nothing to tell. */
const PATIENCE_MS = 5_000;
/** More are not named in the log. */
const MAX_NAMED = 5;
const TEXTS = {
  begins: 'Partitions cannot be read, the others go on',
  lasts: 'Partitions still cannot be read',
  over: 'All partitions have a leader again',
  isState: true,
};

export class Leaderless {
  readonly #catalog: Pick<TopicCatalog, 'topics' | 'onRefreshed'>;
  readonly #clock: Clock;
  readonly #brokers: string;
  readonly #isOurs: (partition: TopicPartition) => boolean;
  readonly #outage: Outage;
  /** Those that the log has told of: they may be between two owners when it is over. */
  readonly #told = new Set<string>();
  /** Since when, in milliseconds of the monotonic clock. */
  #since = new Map<string, TopicPartition & { readonly sinceMs: number }>();

  constructor(
    parts: { readonly catalog: Pick<TopicCatalog, 'topics' | 'onRefreshed'>; readonly clock: Clock; readonly logger: Logger },
    options: { readonly brokers: string; readonly isOurs: (partition: TopicPartition) => boolean },
  ) {
    this.#catalog = parts.catalog;
    this.#clock = parts.clock;
    this.#brokers = options.brokers;
    this.#isOurs = options.isOurs;
    this.#outage = new Outage(TEXTS, parts.logger, parts.clock);
    // The topics are looked up every few seconds, and more often while one of this process's has no leader.
    this.#catalog.onRefreshed(() => this.#look());
  }

  /** Those of this process, as of the last look at the topics. */
  get view(): readonly LeaderlessPartition[] {
    const now = this.#clock.monotonic();
    return [...this.#since.values()]
      .filter((each) => now - each.sinceMs >= PATIENCE_MS && this.#isOurs(each))
      .map(({ topic, partition, sinceMs }) => ({ topic, partition, forMs: now - sinceMs }));
  }

  #look(): void {
    const before = this.#since;
    this.#since = new Map();
    for (const { topic, leaders } of this.#catalog.topics.values()) {
      for (const [partition, leader] of leaders.entries()) {
        if (leader !== undefined) continue;
        const name = partitionName({ topic, partition });
        this.#since.set(name, before.get(name) ?? { topic, partition, sinceMs: this.#clock.monotonic() });
      }
    }
    this.#tell(this.view);
  }

  #tell(leaderless: readonly TopicPartition[]): void {
    for (const each of leaderless) this.#told.add(partitionName(each));
    for (const name of this.#told) if (!this.#since.has(name)) this.#told.delete(name);
    if (this.#told.size === 0) this.#outage.recovered();
    if (leaderless.length === 0) return;
    const { code, message, hint } = noLeader(this.#brokers, leaderless);
    this.#outage.failed(message, { code, hint, partitions: leaderless.length });
  }
}

/** What is told of partitions without a leader. */
export function noLeader(brokers: string, partitions: readonly TopicPartition[]): TailwaterError {
  const named = partitions.slice(0, MAX_NAMED).map(({ topic, partition }) => `${topic}-${partition}`);
  const more = partitions.length > MAX_NAMED ? ` and ${partitions.length - MAX_NAMED} more` : '';
  return new TailwaterError(errorCodes.LEADERLESS_PARTITION, { brokers, topic: ` of ${named.join(', ')}${more}` });
}
