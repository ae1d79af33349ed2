// Commits what is applied, at most once per interval: a commit per batch would cost the broker more than it saves a restart.
import { abortable, type Clock, errorCodes, type Logger, Outage, sleep, TailwaterError } from '@tailwater/runtime';
import type { Subscription, TopicPartition } from '../subscribe/subscription.js';
import type { Assignment, PartitionProgress } from './progress.js';

/** What is committed already is committed again so often: a commit that was lost, or overtaken by an older one, heals. */
const REPEAT_MS = 60_000;
export interface CommitterOptions {
  readonly intervalMs: number;
  /** Called once, after the first commit. */
  readonly onFirstCommit: () => void;
}

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
  readonly #subscription: Pick<Subscription, 'commit'>;
  readonly #options: CommitterOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #assignment: Assignment;
  #flushing: Promise<void> = Promise.resolve();
  #hasCommitted = false;
  #hasToldOtherTarget = false;
  readonly #outage: Outage;

  constructor(
    parts: {
      readonly subscription: Pick<Subscription, 'commit'>;
      readonly assignment: Assignment;
      readonly clock: Clock;
      readonly logger: Logger;
    },
    options: CommitterOptions,
  ) {
    this.#subscription = parts.subscription;
    this.#assignment = parts.assignment;
    this.#options = options;
    this.#clock = parts.clock;
    this.#logger = parts.logger;
    this.#outage = new Outage(TEXTS, parts.logger, parts.clock);
  }

  /** Commits at intervals until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let repeatAtMs = performance.now() + REPEAT_MS;
    while (!signal.aborted) {
      if (performance.now() >= repeatAtMs) {
        for (const progress of this.#assignment) progress.committed = undefined;
        repeatAtMs += REPEAT_MS;
      }
      await sleep(this.#options.intervalMs, signal);
      if (!signal.aborted) await abortable(this.flush(), signal).catch(() => undefined);
    }
  }

  /** Commits what is applied by now. Never rejects: what was not committed is applied again, which is harmless (promise D). */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#commit());
    return this.#flushing;
  }

  async #commit(): Promise<void> {
    this.tellMissed(this.#assignment.advance(this.#clock.now()));
    const applied = [...this.#assignment].flatMap((progress) => {
      const offset = progress.toCommit;
      return offset === undefined ? [] : [{ progress, offset }];
    });
    if (applied.length === 0) return;
    try {
      const outcome = await abortable(
        this.#subscription.commit(applied.map(({ offset }) => offset)),
        AbortSignal.timeout(COMMIT_TIMEOUT_MS),
      );
      if (outcome === 'committed') {
        for (const { progress, offset } of applied) progress.committed = offset.offset;
        this.#outage.recovered();
        if (!this.#hasCommitted) this.#options.onFirstCommit();
        this.#hasCommitted = true;
      } else this.#logger.debug('The group was rebalanced: the next owner of the partitions commits instead');
    } catch (error) {
      this.#outage.failed(describe(error));
    }
  }

  /** Reports partitions whose deletes may have been missed. */
  tellMissed(missed: readonly PartitionProgress[]): void {
    const [first] = missed;
    if (first?.missed === undefined) return;
    const topics = [...new Set(missed.map(({ topic }) => topic))];
    const from = first.missed.fromMs === 0 ? 'an unknown time' : new Date(first.missed.fromMs).toISOString();
    const { code, message, hint } = new TailwaterError(errorCodes.DELETES_MISSED, { topics: topics.join(', '), from });
    this.#logger.warn({ code, topics, from, partitions: missed.length }, `${message}. ${hint}`);
  }

  /** Tells, once, of partitions that the group applied to another target before: what that one has been given is not given to this one. */
  tellOtherTarget(partitions: readonly TopicPartition[]): void {
    if (partitions.length === 0 || this.#hasToldOtherTarget) return;
    this.#hasToldOtherTarget = true;
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const { code, message, hint } = new TailwaterError(errorCodes.OTHER_TARGET_THAN_BEFORE, { topics: topics.join(', ') });
    this.#logger.warn({ code, topics, partitions: partitions.length }, `${message}. ${hint}`);
  }
}
