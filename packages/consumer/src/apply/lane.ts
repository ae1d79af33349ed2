// A lane: queues with at most one request in flight. All changes of a key go through one lane, so there are never two requests at once
// for one key, and its changes are applied in order (promise B); several lanes are several requests at once.
//
// Within a lane each place has a strand of its own. A request takes what comes first of several, in turn. The strand of a place that
// waits has no part in it: it is sent alone, beside the lane's own requests, when the place is asked whether it takes changes again.
import { Notifier } from '@tailwater/runtime';
import type { Delivery } from './delivery.js';
import { Batch, type BatchLimits, DeliveryQueue } from './delivery-queue.js';
import type { Place } from './place.js';

/** How a batch ended: so many settled, so many back in their lane because their place refused them. */
export interface Sent {
  readonly ended: number;
  readonly putBack: number;
}

/** @param more takes what waits behind the batch, to join it */
type Send = (batch: readonly Delivery[], more: () => readonly Delivery[]) => Promise<Sent>;

export class Lane {
  readonly #limits: BatchLimits;
  readonly #send: Send;
  readonly #queues = new Map<Place, DeliveryQueue>();
  /** Those that can be sent, in their turn. */
  #ready: [Place, DeliveryQueue][] = [];
  #length = 0;
  #bytes = 0;
  /** Something can be sent, or a whole batch of it. */
  readonly #filled = new Notifier();
  /** When the request of the lane's own that is under way was sent, by the monotonic clock. */
  #sentAtMs: number | undefined;
  readonly #inFlight = new Set<Promise<unknown>>();

  /** @param send settles every delivery of a batch, or puts it back; its failure ends the lane */
  constructor(limits: BatchLimits, send: Send) {
    this.#limits = limits;
    this.#send = send;
  }

  /** Whether something waits for the place. */
  holds(place: Place): boolean {
    return this.#queues.has(place);
  }

  push(delivery: Delivery, place: Place): void {
    const queue = this.#strandOf(place);
    queue.push(delivery);
    if (place.isWaiting) return;
    this.#bytes += delivery.bytes;
    this.#length += 1;
    if (this.#length === 1 || this.#isFull()) this.#filled.notify();
  }

  /** These were taken, and wait again before all others of their place, which waits. */
  putBack(deliveries: readonly Delivery[], place: Place): void {
    this.#strandOf(place).putBack(deliveries);
    this.returnRevoked();
  }

  /** Whether no request is under way that may carry changes of a place that waits, other than a probe. */
  isFreeOf(place: Place): boolean {
    return this.#sentAtMs === undefined || this.#sentAtMs > place.refusedAtMs;
  }

  /** To be called when a place begins or ceases to wait. */
  moved(place: Place): void {
    const queue = this.#queues.get(place);
    if (queue === undefined) return;
    if (!place.isWaiting) {
      this.#ready.push([place, queue]);
      this.#length += queue.length;
      this.#bytes += queue.bytes;
      this.#filled.notify();
      return;
    }
    this.#ready = this.#ready.filter(([each]) => each !== place);
    this.#length -= queue.length;
    this.#bytes -= queue.bytes;
  }

  /** Settles once the requests in flight, if any, have ended. */
  get idle(): Promise<unknown> {
    return Promise.allSettled(this.#inFlight);
  }

  /** Takes out everything that waits. */
  clear(): Delivery[] {
    const waiting = [...this.#queues.values()].flatMap((queue) => queue.clear());
    this.#queues.clear();
    this.#ready = [];
    this.#length = 0;
    this.#bytes = 0;
    return waiting;
  }

  /** Settles what waits here of partitions that were given back; the rest keeps its order. */
  returnRevoked(): void {
    for (const [place, queue] of [...this.#queues]) {
      const { length, bytes } = queue;
      queue.returnRevoked();
      if (!place.isWaiting) {
        this.#length -= length - queue.length;
        this.#bytes -= bytes - queue.bytes;
      }
      if (queue.length > 0) continue;
      this.#queues.delete(place);
      this.#ready = this.#ready.filter(([each]) => each !== place);
    }
  }

  /** Sends batches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#untilReady(signal);
      if (signal.aborted) return;
      await this.#sendNext();
    }
  }

  /** Sends what comes first of a place that waits. One probe of a place at a time, and where the lane {@link isFreeOf} it. */
  async probe(place: Place, limits: Pick<BatchLimits, 'count' | 'bytes'>): Promise<Sent> {
    const batch = new Batch(limits);
    const queue = this.#strandOf(place);
    queue.take(batch);
    if (queue.length === 0) this.#queues.delete(place);
    return this.#sendBatch(batch.deliveries);
  }

  /** A function of its own: a loop that waits would keep the last batch, and its documents, in memory until the next one. */
  async #sendNext(): Promise<void> {
    this.#sentAtMs = performance.now();
    await this.#sendBatch(this.#take());
    this.#sentAtMs = undefined;
  }

  async #sendBatch(batch: readonly Delivery[]): Promise<Sent> {
    if (batch.length === 0) return { ended: 0, putBack: 0 };
    const sent = this.#send(batch, () => this.#take());
    this.#inFlight.add(sent);
    try {
      return await sent;
    } finally {
      this.#inFlight.delete(sent);
    }
  }

  #isFull(): boolean {
    return this.#length >= this.#limits.count || this.#bytes >= this.#limits.bytes;
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    while (this.#length === 0 && !signal.aborted) await this.#filled.next(signal);
    if (this.#isFull() || signal.aborted || this.#limits.lingerMs === 0) return;
    await this.#filled.next(signal, this.#limits.lingerMs);
  }

  /** The next batch. A place that has more than fits goes behind the others. */
  #take(): Delivery[] {
    const batch = new Batch(this.#limits);
    for (let next = this.#ready[0]; next !== undefined; next = this.#ready[0]) {
      const [place, queue] = next;
      const { length, bytes } = queue;
      queue.take(batch);
      this.#length -= length - queue.length;
      this.#bytes -= bytes - queue.bytes;
      this.#ready.shift();
      if (queue.length > 0) {
        this.#ready.push(next);
        break;
      }
      this.#queues.delete(place);
    }
    return batch.deliveries;
  }

  #strandOf(place: Place): DeliveryQueue {
    const known = this.#queues.get(place);
    if (known !== undefined) return known;
    const queue = new DeliveryQueue();
    this.#queues.set(place, queue);
    if (!place.isWaiting) this.#ready.push([place, queue]);
    return queue;
  }
}
