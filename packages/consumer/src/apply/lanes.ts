// The apply stage: a bounded buffer in front of several lanes. The bound is over everything that waits or is in flight, so the
// process's memory does not grow with the backlog; while it is reached, nothing more is accepted (back-pressure).
import { setMaxListeners } from 'node:events';
import { sleep } from '@tailwater/runtime';
import { type ApplyHooks, applyBatch, type RetryPolicy } from './apply-batch.js';
import type { Delivery } from './delivery.js';
import { type BatchLimits, Lane } from './lane.js';
import { RefusalStreak } from './refusal-streak.js';
import { Witnesses } from './suspects.js';
import type { Target } from './target.js';

export interface LanesOptions {
  /** Requests in flight at most. */
  readonly lanes: number;
  readonly batch: BatchLimits;
  /** What may wait or be in flight: one change more than this is accepted, so that a large document finds room. */
  readonly buffer: { readonly count: number; readonly bytes: number };
  readonly retry: RetryPolicy;
}

export class Lanes {
  readonly #options: LanesOptions;
  readonly #lanes: Lane[];
  #giveUp = sharedController();
  #cut = sharedController();
  #count = 0;
  #bytes = 0;
  #roomWaiters: (() => void)[] = [];

  constructor(target: Target, options: LanesOptions, given: Omit<ApplyHooks, 'onRefusedWhole' | 'witnesses' | 'more'>) {
    this.#options = options;
    const streak = new RefusalStreak();
    const hooks: ApplyHooks = {
      ...given,
      onRequest: (request) => {
        streak.answered();
        given.onRequest(request);
      },
      onRefusedWhole: (error) => streak.refused(error),
      witnesses: new Witnesses(),
    };
    this.#lanes = Array.from(
      { length: options.lanes },
      () =>
        new Lane(options.batch, (batch, more) =>
          applyBatch(target, batch, options.retry, { ...hooks, more }, { giveUp: this.#giveUp.signal, cut: this.#cut.signal }),
        ),
    );
  }

  /** Changes and bytes that wait or are in flight. */
  get buffered(): { readonly count: number; readonly bytes: number } {
    return { count: this.#count, bytes: this.#bytes };
  }

  get hasRoom(): boolean {
    return this.#count < this.#options.buffer.count && this.#bytes < this.#options.buffer.bytes;
  }

  /** Resolves when there is room, or the signal aborts. */
  async room(signal: AbortSignal): Promise<void> {
    while (!this.hasRoom && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#roomWaiters.push(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  /** Queues a change in its key's lane. The caller asks for room first, and calls {@link settled} when it is settled. */
  push(delivery: Delivery): void {
    this.#count += 1;
    this.#bytes += delivery.bytes;
    (this.#lanes[laneOf(delivery.change.key, this.#lanes.length)] as Lane).push(delivery);
  }

  /** Takes a settled change's share of the buffer back. */
  settled(delivery: Delivery): void {
    this.#count -= 1;
    this.#bytes -= delivery.bytes;
    if (this.#roomWaiters.length === 0 || !this.hasRoom) return;
    const waiters = this.#roomWaiters;
    this.#roomWaiters = [];
    for (const wake of waiters) wake();
  }

  /** Applies until the signal aborts; rejects with what ended a lane. The signal does not abort what is in flight: `release` does. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.run(signal)));
  }

  /**
   * Returns all that waits, and lets what is in flight end: at once when it only pauses before another attempt, within
   * `graceMs` when the target is still answering.
   */
  async release(graceMs: number): Promise<void> {
    for (const lane of this.#lanes) for (const delivery of lane.clear()) delivery.settle('returned');
    this.#giveUp.abort();
    const idle = Promise.all(this.#lanes.map((lane) => lane.idle));
    const timer = new AbortController();
    await Promise.race([idle, sleep(graceMs, timer.signal)]);
    timer.abort();
    this.#cut.abort();
    await idle;
    this.#giveUp = sharedController();
    this.#cut = sharedController();
  }
}

/** Every lane listens to it: more listeners than Node expects of one signal are no leak here. */
function sharedController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

/** FNV-1a over the key's characters: not Kafka's hash, by which all keys of one partition would share few lanes. */
export function laneOf(key: string, lanes: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  return (hash >>> 8) % lanes;
}
