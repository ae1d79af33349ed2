// What is left to read in the partitions that this process does not own: they belong to another process, or to none. Lag counts every partition of the group, and those that
// have no owner for long are reported (promise H): the group's leader may have assigned them to no member.
import { abortable, type Clock, type DescribedGroup, sleep } from '@tailwater/runtime';
import type { GroupOffsets } from './group-offsets.js';
import { decodeAssignment } from './member-protocol.js';
import { type GroupView, partitionName, type TopicPartition } from './subscription.js';
import type { TopicCatalog } from './topic-catalog.js';

const INTERVAL_MS = 5_000;
const RETRY_MS = 1_000;
/** The group is asked who owns what no more often, in milliseconds: the answer names every partition. */
const OWNERS_MS = 15_000;
/** Topics that have just appeared are shared out sooner, and so is what a process that ended has had. */
const PATIENCE_MS = 30_000;
const STABLE = 'Stable';

export interface GroupElsewhereParts {
  readonly offsets: Pick<GroupOffsets, 'lags'>;
  readonly catalog: Pick<TopicCatalog, 'topics'>;
  readonly isOwned: (partition: TopicPartition) => boolean;
  /** Asks the group who has which partitions. */
  readonly describe: (signal: AbortSignal) => Promise<DescribedGroup>;
  readonly clock: Clock;
}

export class GroupElsewhere {
  readonly #parts: GroupElsewhereParts;
  #known: { readonly topic: string; readonly partition: number; readonly lag: number }[] | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  /** Partitions without an owner, and since when, in milliseconds of the monotonic clock. */
  #nobodys: { readonly partitions: number; readonly sinceMs: number } | undefined;

  constructor(parts: GroupElsewhereParts) {
    this.#parts = parts;
  }

  /** Undefined until it is known of all partitions that are elsewhere. */
  get view(): GroupView['elsewhere'] {
    const elsewhere = this.#partitions();
    if (elsewhere.length === 0) return { partitions: 0, lag: 0 };
    if (this.#known === undefined) return undefined;
    const lags = new Map(this.#known.map((each) => [partitionName(each), each.lag]));
    let sum = 0;
    for (const each of elsewhere) {
      const lag = lags.get(partitionName(each));
      if (lag === undefined) return undefined;
      sum += lag;
    }
    return { partitions: elsewhere.length, lag: sum };
  }

  /** Partitions that have had no owner for long, while there is something to read of what is elsewhere. */
  get nobodys(): GroupView['nobodys'] {
    if (this.#nobodys === undefined) return undefined;
    const { partitions, sinceMs } = this.#nobodys;
    const forMs = this.#parts.clock.monotonic() - sinceMs;
    return forMs < PATIENCE_MS ? undefined : { partitions, forMs };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#known === undefined ? RETRY_MS : INTERVAL_MS, signal);
      if (!signal.aborted) await this.look(signal);
    }
  }

  /** Never rejects: a broker that is away is told of elsewhere. */
  async look(signal: AbortSignal): Promise<void> {
    try {
      this.#known = await abortable(this.#parts.offsets.lags(this.#partitions()), signal);
    } catch {
      // What was known is not known any more.
      this.#known = undefined;
    }
    if (signal.aborted) return;
    try {
      await this.#lookForOwners(signal);
    } catch {
      // Nothing is concluded: the caller that asks for offsets gets the error.
    }
  }

  async #lookForOwners(signal: AbortSignal): Promise<void> {
    const now = this.#parts.clock.monotonic();
    if (this.view?.lag === 0) {
      this.#nobodys = undefined;
      return;
    }
    if (now - this.#askedAtMs < OWNERS_MS) return;
    this.#askedAtMs = now;
    const { state, members } = await abortable(this.#parts.describe(signal), signal);
    // Not known until all have joined.
    if (state !== STABLE) return;
    const owned = new Set(members.flatMap(({ assignment }) => decodeAssignment(assignment).partitions.map(partitionName)));
    const nobodys = this.#partitions().filter((each) => !owned.has(partitionName(each)));
    this.#nobodys = nobodys.length === 0 ? undefined : { partitions: nobodys.length, sinceMs: this.#nobodys?.sinceMs ?? now };
  }

  #partitions(): TopicPartition[] {
    const elsewhere: TopicPartition[] = [];
    for (const { topic, leaders } of this.#parts.catalog.topics.values()) {
      for (let partition = 0; partition < leaders.length; partition += 1) {
        if (!this.#parts.isOwned({ topic, partition })) elsewhere.push({ topic, partition });
      }
    }
    return elsewhere;
  }
}
