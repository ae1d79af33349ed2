// Places that wait: each is asked again and again, by a request with some of its changes, until it takes them. Other places wait for none of it.
import { Backoff, errorCodes, Notifier, Queue, sleep, TailwaterError } from '@tailwater/runtime';
import { formatNamespace } from '@tailwater/schema';
import type { RetryPolicy } from './apply-hooks.js';
import type { BatchLimits } from './delivery-queue.js';
import type { Lane } from './lane.js';
import type { Place } from './place.js';

export interface PlaceProbesParts {
  readonly lanes: readonly Lane[];
  readonly retry: RetryPolicy;
  /** Of a request. */
  readonly limits: BatchLimits;
  /** Names the target in messages. */
  readonly target: string;
  /** The place takes changes again. */
  readonly onResumed: (place: Place) => void;
}

/** Enough to ask with, few enough to cost a target in trouble little. */
const PROBE_CHANGES = 20;
/** So many places are asked at once, however many wait. */
const MAX_AT_ONCE = 4;

export class PlaceProbes {
  readonly #parts: PlaceProbesParts;
  readonly #places = new Set<Place>();
  readonly #loops = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #asking = 0;
  readonly #asked = new Notifier();
  readonly #failures = new Queue<unknown>();

  constructor(parts: PlaceProbesParts) {
    this.#parts = parts;
  }

  /** Places that wait, with something that waits for them. */
  get places(): readonly Place[] {
    return [...this.#places].filter(({ count }) => count > 0);
  }

  /** Asks until the signal aborts; rejects with TW1350 when a place has taken nothing for too long, or with what ended an attempt. */
  async run(signal: AbortSignal): Promise<void> {
    const failure = await this.#failures.take(signal);
    this.#stop.abort();
    await Promise.all(this.#loops);
    if (!signal.aborted) throw failure;
  }

  /** The place waits from now on. */
  add(place: Place): void {
    this.#places.add(place);
    const loop = this.#askUntilResumed(place).catch((error: unknown) => this.#failures.put(error));
    this.#loops.add(loop);
    void loop.finally(() => this.#loops.delete(loop));
  }

  async #askUntilResumed(place: Place): Promise<void> {
    const backoff = new Backoff(this.#parts.retry);
    const { signal } = this.#stop;
    for (let pauseMs = backoff.next(), next = 0; ; ) {
      await sleep(pauseMs * (0.5 + Math.random()), signal);
      if (signal.aborted) return;
      const lane = this.#laneWith(place, next);
      if (lane === undefined) {
        this.#assertNotTooLong(place);
        continue;
      }
      next = (this.#parts.lanes.indexOf(lane) + 1) % this.#parts.lanes.length;
      const { ended, putBack } = await this.#ask(lane, place);
      if (ended > 0 && putBack === 0) break;
      if (putBack > 0) this.#assertNotTooLong(place);
      if (ended > 0) backoff.reset();
      pauseMs = backoff.next();
    }
    this.#places.delete(place);
    this.#parts.onResumed(place);
  }

  #laneWith(place: Place, from: number): Lane | undefined {
    const { lanes } = this.#parts;
    return [...lanes.slice(from), ...lanes.slice(0, from)].find((lane) => lane.holds(place) && lane.isFreeOf(place));
  }

  async #ask(lane: Lane, place: Place): ReturnType<Lane['probe']> {
    while (this.#asking >= MAX_AT_ONCE) await this.#asked.next();
    this.#asking += 1;
    try {
      const { limits } = this.#parts;
      // Whether it is the documents that are refused shows in many of them.
      return await lane.probe(
        place,
        place.refusal?.of === 'documents' ? limits : { ...limits, count: Math.min(PROBE_CHANGES, limits.count) },
      );
    } finally {
      this.#asking -= 1;
      this.#asked.notify();
    }
  }

  /** @throws TailwaterError TW1350 */
  #assertNotTooLong({ namespace, refusal, refusedAtMs, count }: Place): void {
    const waitedMs = performance.now() - refusedAtMs;
    if (refusal === undefined || count === 0 || waitedMs < (this.#parts.retry.giveUpAfterMs ?? Number.POSITIVE_INFINITY)) return;
    const reason = `${formatNamespace(namespace)}: ${refusal.code} ${refusal.reason}`;
    throw new TailwaterError(errorCodes.TARGET_REFUSED_TOO_LONG, {
      target: this.#parts.target,
      seconds: Math.round(waitedMs / 1000),
      reason,
    });
  }
}
