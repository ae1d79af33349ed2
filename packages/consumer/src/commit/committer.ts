// Commits what is applied, at most once per interval: a commit per batch would cost the broker more than it saves a restart. Nothing
// is committed before it is known what the group's last commits said (see freshness.ts), because these would be forgotten.
import { type Clock, type Logger, Outage, sleep, TailwaterError } from '@tailwater/runtime';
import { orAborted } from '../subscribe/or-aborted.js';
import type { Subscription } from '../subscribe/subscription.js';
import type { Assignment, PartitionProgress } from './progress.js';

/** What is committed already is committed again so often: a commit that was lost, or overtaken by an older one, heals. */
const REPEAT_MS = 60_000;
export interface CommitterOptions {
  readonly intervalMs: number;
  /** The group was there before, and its commits are gone: what it begins without one, it begins again. */
  readonly offsetsForgotten: boolean;
  /** Called once, after the first commit. */
  readonly onFirstCommit: () => void;
}

const STANDING_PAUSE_MS = 500;
const STANDING_TIMEOUT_MS = 10_000;
/** A commit that takes longer is left to itself: with a broker that is away it may never end. */
const COMMIT_TIMEOUT_MS = 30_000;
const TEXTS = {
  begins: 'The offsets could not be committed; trying again',
  lasts: 'The offsets still cannot be committed',
  over: 'The offsets are committed again',
};

/** Of a commit that was not answered, the abort signal's own words say nothing to anybody. */
const describe = (error: unknown): string =>
  error instanceof DOMException ? `no answer within ${COMMIT_TIMEOUT_MS / 1000} s` : error instanceof Error ? error.message : String(error);

export class Committer {
  readonly #subscription: Pick<Subscription, 'commit' | 'standing'>;
  readonly #options: CommitterOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #assignment: Assignment | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #hasCommitted = false;
  readonly #outage: Outage;

  constructor(subscription: Pick<Subscription, 'commit' | 'standing'>, options: CommitterOptions, clock: Clock, logger: Logger) {
    this.#subscription = subscription;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#outage = new Outage(TEXTS, logger, clock);
  }

  /** From now on this assignment's progress is committed, and no other's. */
  follow(assignment: Assignment | undefined): void {
    this.#assignment = assignment;
    this.#flushing = assignment === undefined ? Promise.resolve() : this.#lookUp(assignment);
  }

  /** Until it is known where the group stands, or the partitions are somebody else's. Never rejects. */
  async #lookUp(assignment: Assignment): Promise<void> {
    while (this.#assignment === assignment) {
      try {
        const standing = await orAborted(this.#subscription.standing([...assignment]), AbortSignal.timeout(STANDING_TIMEOUT_MS));
        this.#warn(assignment.begin(standing, this.#clock.now(), this.#options.offsetsForgotten));
        return;
      } catch (error) {
        this.#logger.debug({ err: error }, 'The group’s offsets could not be read; trying again');
      }
      await sleep(STANDING_PAUSE_MS);
    }
  }

  /** Commits at intervals until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let repeatAtMs = performance.now() + REPEAT_MS;
    while (!signal.aborted) {
      if (performance.now() >= repeatAtMs) {
        this.#assignment?.forgetCommits();
        repeatAtMs += REPEAT_MS;
      }
      await sleep(this.#options.intervalMs, signal);
      if (!signal.aborted) await orAborted(this.flush(), signal).catch(() => undefined);
    }
  }

  /** Commits what is applied by now. Never rejects: what was not committed is applied again, which is harmless (promise D). */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#commit());
    return this.#flushing;
  }

  async #commit(): Promise<void> {
    const assignment = this.#assignment;
    if (assignment === undefined) return;
    this.#warn(assignment.advance(this.#clock.now()));
    const offsets = assignment.uncommitted();
    if (offsets.length === 0) return;
    try {
      const outcome = await orAborted(this.#subscription.commit(offsets), AbortSignal.timeout(COMMIT_TIMEOUT_MS));
      if (outcome === 'committed') {
        assignment.commit(offsets);
        this.#outage.recovered();
        if (!this.#hasCommitted) this.#options.onFirstCommit();
        this.#hasCommitted = true;
      } else this.#logger.debug('The group has moved on: this commit is left to the next owner of the partitions');
    } catch (error) {
      this.#outage.failed(describe(error));
    }
  }

  #warn(missed: readonly PartitionProgress[]): void {
    const [first] = missed;
    if (first?.missed === undefined) return;
    const topics = [...new Set(missed.map(({ topic }) => topic))];
    const from = first.missed.fromMs === 0 ? 'an unknown time' : new Date(first.missed.fromMs).toISOString();
    const { code, message, hint } = new TailwaterError('TW1359', { topics: topics.join(', '), from });
    this.#logger.warn({ code, topics, from, partitions: missed.length }, `${message}. ${hint}`);
  }
}
