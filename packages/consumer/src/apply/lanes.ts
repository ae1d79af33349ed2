// The apply stage: a bounded buffer in front of several lanes. The bound is over everything that waits or is in flight, so the
// process's memory does not grow with the backlog; while a place has its share of it, nothing more is accepted for it (back-pressure).
//
// What is refused decides who waits: a document is put aside, a place (an index that is closed, a collection that may not be written to)
// waits alone, and only when the target itself takes nothing do all of them wait.
import { setMaxListeners } from 'node:events';
import { sleep } from '@tailwater/runtime';
import type { Namespace } from '@tailwater/schema';
import type { Target } from '../targets/target.js';
import { applyBatch } from './apply-batch.js';
import type { ApplyHooks, RetryPolicy } from './apply-hooks.js';
import type { Delivery } from './delivery.js';
import type { BatchLimits } from './delivery-queue.js';
import { Lane } from './lane.js';
import { Place, type Refusal } from './place.js';
import { PlaceProbes } from './place-probes.js';
import { AcceptedWrites } from './poison-detector.js';
import { type BufferSize, SharedBuffer } from './shared-buffer.js';

export interface LanesOptions {
  /** Requests in flight at most. */
  readonly lanes: number;
  readonly batch: BatchLimits;
  /** What may wait or be in flight, and as much again for places that wait: one change more than this is accepted, so that a large document finds room. */
  readonly buffer: BufferSize;
  readonly retry: RetryPolicy;
  /** So many changes of a namespace refused in a row, and it waits; see {@link RefusalStreak}. Default 0: no limit. */
  readonly refusalLimit?: number;
}

export type LanesHooks = Pick<ApplyHooks, 'onRejected' | 'onRetry' | 'onRequest' | 'mayApply'> & {
  /** A place waits from now on, or still does. */
  onWaiting?(place: Namespace, refusal: Refusal): void;
  /** The place takes changes again. */
  onResumed?(place: Namespace): void;
};

/** A place that waits. */
export interface WaitingPlace extends Refusal {
  readonly namespace: Namespace;
  /** For how long, in milliseconds. */
  readonly waitedMs: number;
  /** Changes that wait for it here. */
  readonly changes: number;
}

export class Lanes {
  readonly #options: LanesOptions;
  readonly #hooks: LanesHooks;
  readonly #lanes: Lane[];
  readonly #buffer: SharedBuffer;
  readonly #places = new Map<Namespace, Place>();
  readonly #probes: PlaceProbes;
  #giveUp = sharedController();
  #cut = sharedController();

  constructor(target: Target, options: LanesOptions, given: LanesHooks) {
    this.#options = options;
    this.#hooks = given;
    this.#buffer = new SharedBuffer(options.buffer);
    const acceptedWrites = new AcceptedWrites();
    this.#lanes = Array.from({ length: options.lanes }, () => {
      const lane: Lane = new Lane(options.batch, async (batch, more) => {
        let putBack = 0;
        const hooks: ApplyHooks = {
          ...given,
          acceptedWrites,
          more,
          onAccepted: ({ namespace }) => this.#placeOf(namespace).streak.accepted(),
          isTooMany: (namespace, refused) => this.#placeOf(namespace).streak.isTooLong(refused),
          onPlaceRefused: (namespace, deliveries, refusal) => {
            putBack += deliveries.length;
            const place = this.#placeOf(namespace);
            this.#wait(place, refusal);
            lane.putBack(deliveries, place);
          },
        };
        const signals = { giveUp: this.#giveUp.signal, cut: this.#cut.signal };
        return { ended: await applyBatch(target, batch, options.retry, hooks, signals), putBack };
      });
      return lane;
    });
    const onResumed = (place: Place) => this.#resume(place);
    this.#probes = new PlaceProbes({ lanes: this.#lanes, retry: options.retry, limits: options.batch, target: target.kind, onResumed });
  }

  /** Changes and bytes that wait or are in flight. */
  get buffered(): BufferSize {
    return this.#buffer.held;
  }

  /** Places that take nothing at the moment while others do. */
  get waiting(): readonly WaitingPlace[] {
    const now = performance.now();
    return this.#probes.places.map(({ namespace, refusal, refusedAtMs, count }) => {
      return { namespace, ...(refusal as Refusal), waitedMs: now - refusedAtMs, changes: count };
    });
  }

  /** Whether a change of this destination may be pushed. */
  hasCapacityFor(namespace: Namespace): boolean {
    return this.#buffer.hasCapacityFor(this.#placeOf(namespace));
  }

  /** Resolves when a change of this destination may be pushed, or the signal aborts. */
  untilCapacity(signal: AbortSignal, namespace: Namespace): Promise<void> {
    return this.#buffer.untilCapacity(signal, this.#placeOf(namespace));
  }

  /** Queues a change in its key's lane. The caller asks for room first, and calls {@link settled} when it is settled. */
  push(delivery: Delivery): void {
    const place = this.#placeOf(delivery.change.namespace);
    this.#buffer.add(place, delivery.bytes);
    (this.#lanes[laneOf(delivery.change.key, this.#lanes.length)] as Lane).push(delivery, place);
  }

  /** Takes a settled change's share of the buffer back. */
  settled(delivery: Delivery): void {
    this.#buffer.remove(this.#placeOf(delivery.change.namespace), delivery.bytes);
  }

  /** Applies until the signal aborts; rejects with what ended a lane. The signal does not abort what is in flight: `release` does. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#lanes, this.#probes].map((each) => each.run(signal)));
  }

  /** Returns what waits of partitions that were given back. */
  returnRevoked(): void {
    for (const lane of this.#lanes) lane.returnRevoked();
  }

  /**
   * Returns all that waits, and lets what is in flight end: at once when it only pauses before another attempt, within
   * `graceMs` when the target is still answering.
   */
  async release(graceMs: number): Promise<void> {
    this.#returnAll();
    this.#giveUp.abort();
    const idle = Promise.all(this.#lanes.map((lane) => lane.idle));
    const timer = new AbortController();
    await Promise.race([idle, sleep(graceMs, timer.signal)]);
    timer.abort();
    this.#cut.abort();
    await idle;
    // What a request in flight brought back.
    this.#returnAll();
    this.#giveUp = sharedController();
    this.#cut = sharedController();
  }

  #returnAll(): void {
    for (const lane of this.#lanes) for (const delivery of lane.clear()) delivery.settle('returned');
  }

  #wait(place: Place, refusal: Refusal): void {
    const wasWaiting = place.isWaiting;
    place.refusal = refusal;
    this.#hooks.onWaiting?.(place.namespace, refusal);
    if (wasWaiting) return;
    place.refusedAtMs = performance.now();
    this.#moved(place);
    this.#probes.add(place);
  }

  #resume(place: Place): void {
    place.refusal = undefined;
    this.#moved(place);
    this.#hooks.onResumed?.(place.namespace);
  }

  #moved(place: Place): void {
    this.#buffer.moved(place);
    for (const lane of this.#lanes) lane.moved(place);
  }

  #placeOf(namespace: Namespace): Place {
    const known = this.#places.get(namespace);
    if (known !== undefined) return known;
    const place = new Place(namespace, this.#options.refusalLimit ?? 0);
    this.#places.set(namespace, place);
    return place;
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
