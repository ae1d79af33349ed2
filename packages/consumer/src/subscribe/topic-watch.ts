// Notices topics that appear, grow, vanish or are made anew, and asks the group to share them out. The leader of the group does so for all: the others look
// again when they join, and speak up only when it has not. Many topics that appear one after the other cost a few rebalances, not one each.
import { abortable, type Logger, sleep, type TopicPartitions } from '@tailwater/runtime';
import { sameTopics, type TopicCatalog } from './topic-catalog.js';

export interface TopicWatchOptions {
  /** Milliseconds between two looks. */
  readonly intervalMs: number;
}

/** The first new topic is shared out at once, those that follow together after so many looks. */
const LOOKS_BETWEEN = 5;
/** Who does not lead the group leaves it to the leader for so many looks. */
const LEADERS_LOOKS = 4;

export interface TopicChange {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

export class TopicWatch {
  readonly #catalog: TopicCatalog;
  readonly #intervalMs: number;
  readonly #isLeader: () => boolean;
  readonly #onChange: (change: TopicChange) => void;
  readonly #onRenewed: (topics: readonly string[]) => void;
  readonly #logger: Logger;
  /** What the group was last told. */
  #told: ReadonlyMap<string, TopicPartitions> | undefined;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  /** When the group was last told of other topics than before. */
  #changedAtMs = Number.NEGATIVE_INFINITY;
  #differsForLooks = 0;
  /** Whether the group joins anew because of what is told next. */
  #hasChanged = false;

  constructor(
    catalog: TopicCatalog,
    options: TopicWatchOptions & {
      readonly isLeader: () => boolean;
      readonly onChange: (change: TopicChange) => void;
      /** These were deleted and made anew: what was read of them is of the ones before. */
      readonly onRenewed: (topics: readonly string[]) => void;
    },
    logger: Logger,
  ) {
    this.#catalog = catalog;
    this.#intervalMs = options.intervalMs;
    this.#isLeader = options.isLeader;
    this.#onChange = options.onChange;
    this.#onRenewed = options.onRenewed;
    this.#logger = logger;
  }

  /**
   * The topics that the group is told next: as they are now, but where it was told a moment ago. What one round takes from a member is given to another in the next, and
   * with other topics in each of them, while many appear, none would be the last.
   */
  async look(): Promise<readonly string[]> {
    const isRecent = performance.now() - this.#toldAtMs < this.#intervalMs;
    if (this.#told !== undefined && isRecent && !this.#hasChanged) return [...this.#told.keys()];
    this.#hasChanged = false;
    await this.#catalog.refresh();
    const before = this.#told;
    const { topics } = this.#catalog;
    if (topics.size === 0 && before?.size !== 0) this.#logger.info('There is no topic to read yet: waiting for the producer to create one');
    this.#told = topics;
    this.#toldAtMs = performance.now();
    this.#differsForLooks = 0;
    if (before !== undefined && !sameTopics(before, topics)) this.#changedAtMs = this.#toldAtMs;
    if (before !== undefined) this.#tellRenewed(before, topics);
    return [...topics.keys()];
  }

  /** Looks again and again until the signal aborts. A look that fails counts as no change: the member itself notices a broker that is gone. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#intervalMs, signal);
      if (signal.aborted || this.#told === undefined) continue;
      try {
        await abortable(this.#catalog.refresh(), signal);
      } catch (error) {
        this.#logger.debug({ err: error }, 'The topics could not be looked up');
        continue;
      }
      this.#compare(this.#told, this.#catalog.topics);
    }
  }

  #compare(told: ReadonlyMap<string, TopicPartitions>, now: ReadonlyMap<string, TopicPartitions>): void {
    if (sameTopics(told, now)) {
      this.#differsForLooks = 0;
      return;
    }
    this.#differsForLooks += 1;
    const isSoonEnough = performance.now() - this.#changedAtMs >= this.#intervalMs * LOOKS_BETWEEN;
    if (!isSoonEnough || (!this.#isLeader() && this.#differsForLooks <= LEADERS_LOOKS)) return;
    this.#differsForLooks = 0;
    this.#hasChanged = true;
    this.#onChange({
      added: [...now.keys()].filter((topic) => !told.has(topic)),
      removed: [...told.keys()].filter((topic) => !now.has(topic)),
    });
  }

  #tellRenewed(before: ReadonlyMap<string, TopicPartitions>, now: ReadonlyMap<string, TopicPartitions>): void {
    const renewed = [...now].filter(([topic, { id }]) => (before.get(topic)?.id ?? id) !== id).map(([topic]) => topic);
    if (renewed.length === 0) return;
    this.#logger.warn({ topics: renewed }, 'Topics were deleted and recreated: they are read from the beginning');
    this.#onRenewed(renewed);
  }
}
