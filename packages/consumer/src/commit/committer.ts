// Commits what is applied, at most once per interval: a commit per batch would cost the broker more than it saves a restart.
import { type Logger, sleep } from '@tailwater/runtime';
import { orAborted } from '../subscribe/or-aborted.js';
import type { Subscription } from '../subscribe/subscription.js';
import type { Assignment } from './progress.js';

/** What is committed already is committed again so often: a commit that was lost, or overtaken by an older one, heals. */
const REPEAT_MS = 60_000;
/** A commit that takes longer is left to itself: with a broker that is away it may never end. */
const COMMIT_TIMEOUT_MS = 30_000;

export class Committer {
  readonly #subscription: Pick<Subscription, 'commit'>;
  readonly #intervalMs: number;
  readonly #logger: Logger;
  #assignment: Assignment | undefined;
  #flushing: Promise<void> = Promise.resolve();

  constructor(subscription: Pick<Subscription, 'commit'>, options: { readonly intervalMs: number }, logger: Logger) {
    this.#subscription = subscription;
    this.#intervalMs = options.intervalMs;
    this.#logger = logger;
  }

  /** From now on this assignment's progress is committed, and no other's. */
  follow(assignment: Assignment | undefined): void {
    this.#assignment = assignment;
    this.#flushing = Promise.resolve();
  }

  /** Commits at intervals until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let repeatAtMs = performance.now() + REPEAT_MS;
    while (!signal.aborted) {
      if (performance.now() >= repeatAtMs) {
        this.#assignment?.forgetCommits();
        repeatAtMs += REPEAT_MS;
      }
      await sleep(this.#intervalMs, signal);
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
    const offsets = assignment?.uncommitted() ?? [];
    if (assignment === undefined || offsets.length === 0) return;
    try {
      const outcome = await orAborted(this.#subscription.commit(offsets), AbortSignal.timeout(COMMIT_TIMEOUT_MS));
      if (outcome === 'committed') assignment.commit(offsets);
      else this.#logger.debug('The group has moved on: this commit is left to the next owner of the partitions');
    } catch (error) {
      this.#logger.warn({ err: error }, 'The offsets could not be committed; trying again');
    }
  }
}
