// What is left to read in the partitions that this process does not own: another process's, or nobody's. Lag counts every partition of the group (promise H).
import { abortable, sleep } from '@tailwater/runtime';
import type { GroupOffsets } from './group-offsets.js';
import type { GroupView, TopicPartition } from './subscription.js';
import type { TopicCatalog } from './topic-catalog.js';

const INTERVAL_MS = 5_000;
const RETRY_MS = 1_000;

export class GroupElsewhere {
  readonly #offsets: GroupOffsets;
  readonly #catalog: TopicCatalog;
  readonly #isOwned: (partition: TopicPartition) => boolean;
  #known: { readonly topic: string; readonly partition: number; readonly lag: number }[] | undefined;

  constructor(offsets: GroupOffsets, catalog: TopicCatalog, isOwned: (partition: TopicPartition) => boolean) {
    this.#offsets = offsets;
    this.#catalog = catalog;
    this.#isOwned = isOwned;
  }

  /** Undefined until it is known of all partitions that are elsewhere. */
  get view(): GroupView['elsewhere'] {
    const elsewhere = this.#partitions();
    if (elsewhere.length === 0) return { partitions: 0, lag: 0 };
    if (this.#known === undefined) return undefined;
    const lags = new Map(this.#known.map(({ topic, partition, lag }) => [`${topic}/${partition}`, lag]));
    let sum = 0;
    for (const { topic, partition } of elsewhere) {
      const lag = lags.get(`${topic}/${partition}`);
      if (lag === undefined) return undefined;
      sum += lag;
    }
    return { partitions: elsewhere.length, lag: sum };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#known === undefined ? RETRY_MS : INTERVAL_MS, signal);
      if (signal.aborted) return;
      try {
        const standing = await abortable(this.#offsets.lags(this.#partitions()), signal);
        this.#known = standing;
      } catch {
        // A broker that is away is told of elsewhere; what was known is not known any more.
        this.#known = undefined;
      }
    }
  }

  #partitions(): TopicPartition[] {
    const elsewhere: TopicPartition[] = [];
    for (const { topic, leaders } of this.#catalog.topics.values()) {
      for (let partition = 0; partition < leaders.length; partition += 1) {
        if (!this.#isOwned({ topic, partition })) elsewhere.push({ topic, partition });
      }
    }
    return elsewhere;
  }
}
