// The partitions that the group has given to this process and that it has not begun to read: where the group stands in them is not known yet. Each begins as soon
// as its own leader has told. One that has no leader, or whose leader does not answer, keeps no other waiting (promise H).
import { abortable, Backoff, type Logger, onAbort, sleep } from '@tailwater/runtime';
import type { GroupOffsets } from './group-offsets.js';
import { type GroupPartitionOffsets, type LatePartitions, partitionName, type TopicPartition } from './subscription.js';
import type { TopicCatalog } from './topic-catalog.js';

const PAUSE = { minMs: 200, maxMs: 2_000 };
/** So long, in milliseconds, the member's next step is put off for what is about to begin. */
const MOMENT_MS = 1_000;

/** What has not begun is reported only after this time, in milliseconds. */
const PATIENCE_MS = 10_000;

/** What one assignment added, without what has begun of it. */
interface Round {
  /** When it was given, in milliseconds of the monotonic clock. */
  readonly sinceMs: number;
  readonly waiting: Map<string, TopicPartition>;
  /** Aborted when nothing of it is to begin any more. */
  readonly ended: AbortController;
}

export class PendingPartitions {
  readonly #offsets: Pick<GroupOffsets, 'read'>;
  readonly #catalog: Pick<TopicCatalog, 'leaderOf' | 'refresh'>;
  readonly #onGroupOffsets: (groupOffsets: readonly GroupPartitionOffsets[]) => void;
  readonly #logger: Logger;
  #round: Round = { sinceMs: performance.now(), waiting: new Map(), ended: new AbortController() };

  /** @param onGroupOffsets is told where the group stands in partitions, once for each: they are to be read from there */
  constructor(
    parts: {
      readonly offsets: Pick<GroupOffsets, 'read'>;
      readonly catalog: Pick<TopicCatalog, 'leaderOf' | 'refresh'>;
      readonly logger: Logger;
    },
    onGroupOffsets: (groupOffsets: readonly GroupPartitionOffsets[]) => void,
  ) {
    this.#offsets = parts.offsets;
    this.#catalog = parts.catalog;
    this.#logger = parts.logger;
    this.#onGroupOffsets = onGroupOffsets;
  }

  /** Whether the partition was given to this process and has not begun. */
  has(partition: TopicPartition): boolean {
    return this.#round.waiting.has(partitionName(partition));
  }

  /** What has a leader, and has not begun for long. */
  get late(): LatePartitions | undefined {
    const { sinceMs, waiting } = this.#round;
    const forMs = performance.now() - sinceMs;
    if (forMs < PATIENCE_MS) return undefined;
    const late = [...waiting.values()].filter(({ topic, partition }) => this.#catalog.leaderOf(topic, partition) !== undefined);
    return late.length === 0 ? undefined : { partitions: late.length, forMs };
  }

  /** What waits is not begun any more: it may be given to another. */
  cancel(): void {
    this.#round.waiting.clear();
    this.#round.ended.abort();
  }

  /** Resolves when these have begun, or a moment later; what has not begun by then begins later. Those of an earlier call are given up. */
  async begin(partitions: readonly TopicPartition[], signal: AbortSignal): Promise<void> {
    this.cancel();
    const ended = new AbortController();
    const round = { sinceMs: performance.now(), waiting: new Map(partitions.map((each) => [partitionName(each), each])), ended };
    this.#round = round;
    const stopListening = onAbort(signal, () => ended.abort());
    const begun = this.#beginAll(round).finally(stopListening);
    await Promise.race([begun, sleep(MOMENT_MS, ended.signal)]);
  }

  async #beginAll({ waiting, ended }: Omit<Round, 'sinceMs'>): Promise<void> {
    const asked = new Set<number>();
    const backoff = new Backoff(PAUSE);
    // The leader of the group may have looked later than this process.
    let isStale = [...waiting.values()].some(({ topic, partition }) => this.#catalog.leaderOf(topic, partition) === undefined);
    while (!ended.signal.aborted) {
      if (isStale) await this.#refresh(ended.signal);
      isStale = true;
      for (const [leader, led] of this.#byLeader(waiting)) {
        if (asked.has(leader)) continue;
        asked.add(leader);
        void this.#ask(led, { waiting, ended }).finally(() => asked.delete(leader));
      }
      await backoff.pause(ended.signal);
    }
  }

  /** Without those that have no leader, or whose topic is not there (any more): the group shares out anew when it is really gone. */
  #byLeader(waiting: ReadonlyMap<string, TopicPartition>): Map<number, TopicPartition[]> {
    const byLeader = new Map<number, TopicPartition[]>();
    for (const { topic, partition } of waiting.values()) {
      const leader = this.#catalog.leaderOf(topic, partition);
      if (leader === undefined) continue;
      const led = byLeader.get(leader);
      if (led === undefined) byLeader.set(leader, [{ topic, partition }]);
      else led.push({ topic, partition });
    }
    return byLeader;
  }

  async #ask(led: readonly TopicPartition[], { waiting, ended }: Omit<Round, 'sinceMs'>): Promise<void> {
    let groupOffsets: readonly GroupPartitionOffsets[];
    try {
      groupOffsets = await abortable(this.#offsets.read(led), ended.signal);
    } catch (error) {
      if (!ended.signal.aborted) this.#logger.debug({ err: error }, 'The group’s offsets could not be read; trying again');
      return;
    }
    // Another broker, which leads by now, may have been faster.
    const begun = groupOffsets.filter((each) => waiting.delete(partitionName(each)));
    if (begun.length > 0) this.#onGroupOffsets(begun);
    if (waiting.size === 0) ended.abort();
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      await abortable(this.#catalog.refresh(), signal);
    } catch (error) {
      if (!signal.aborted) this.#logger.debug({ err: error }, 'The leaders of the topics could not be looked up');
    }
  }
}
