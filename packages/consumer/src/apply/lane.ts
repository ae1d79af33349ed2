// A lane: a queue with at most one request in flight. All changes of a key go through one lane, so there are never two
// requests at once for one key, and its changes are applied in order (promise B); several lanes are several requests at once.
import { sleep } from '@tailwater/runtime';
import type { Change } from '../change.js';
import type { Delivery } from './delivery.js';

export interface BatchLimits {
  /** Changes per request. */
  readonly count: number;
  /** Bytes per request; a single larger change still goes, alone. */
  readonly bytes: number;
  /** How long, in milliseconds, a change waits for others to share its request. */
  readonly lingerMs: number;
}

/** @param more takes what waits behind the batch, to join it */
type Send = (batch: readonly Delivery[], more: () => readonly Delivery[]) => Promise<void>;

export class Lane {
  readonly #limits: BatchLimits;
  readonly #send: Send;
  #queue: Delivery[] = [];
  #head = 0;
  #bytes = 0;
  #wake: (() => void) | undefined;
  #idle: Promise<void> = Promise.resolve();

  /** @param send settles every delivery of a batch; its failure ends the lane */
  constructor(limits: BatchLimits, send: Send) {
    this.#limits = limits;
    this.#send = send;
  }

  get length(): number {
    return this.#queue.length - this.#head;
  }

  push(delivery: Delivery): void {
    this.#queue.push(delivery);
    this.#bytes += delivery.bytes;
    if (this.length === 1 || this.#isFull()) this.#wake?.();
  }

  /** Settles once the request in flight, if any, has ended. */
  get idle(): Promise<void> {
    return this.#idle;
  }

  /** Takes out everything that waits. */
  clear(): Delivery[] {
    const waiting = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
    this.#bytes = 0;
    return waiting;
  }

  /** Sends batches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const onAbort = () => this.#wake?.();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        await this.#untilReady(signal);
        if (signal.aborted) return;
        await this.#sendNext();
      }
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** A function of its own: a loop that waits would keep the last batch, and its documents, in memory until the next one. */
  async #sendNext(): Promise<void> {
    const batch = this.#take();
    if (batch.length === 0) return;
    const sent = this.#send(batch, () => this.#take());
    this.#idle = sent.catch(() => undefined);
    await sent;
  }

  #isFull(): boolean {
    return this.length >= this.#limits.count || this.#bytes >= this.#limits.bytes;
  }

  async #untilReady(signal: AbortSignal): Promise<void> {
    while (this.length === 0 && !signal.aborted) await this.#woken();
    if (this.#isFull() || signal.aborted || this.#limits.lingerMs === 0) return;
    const timer = new AbortController();
    await Promise.race([sleep(this.#limits.lingerMs, timer.signal), this.#woken()]);
    timer.abort();
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  /** The next batch: each key's last change among those it covers; the earlier ones are superseded by it. */
  #take(): Delivery[] {
    const batch: (Delivery | undefined)[] = [];
    const places = new Map<Change['namespace'], Map<string, number>>();
    let bytes = 0;
    while (this.#head < this.#queue.length && batch.length < this.#limits.count) {
      const delivery = this.#queue[this.#head] as Delivery;
      if (bytes > 0 && bytes + delivery.bytes > this.#limits.bytes) break;
      this.#head += 1;
      this.#bytes -= delivery.bytes;
      if (delivery.revoked) {
        delivery.settle('returned');
        continue;
      }
      const { namespace, key } = delivery.change;
      const ofNamespace = places.get(namespace) ?? new Map<string, number>();
      places.set(namespace, ofNamespace);
      const earlier = ofNamespace.get(key);
      if (earlier !== undefined) {
        batch[earlier]?.settle('superseded');
        bytes -= batch[earlier]?.bytes ?? 0;
        batch[earlier] = undefined;
      }
      ofNamespace.set(key, batch.length);
      batch.push(delivery);
      bytes += delivery.bytes;
    }
    this.#compact();
    return batch.filter((delivery) => delivery !== undefined);
  }

  /** Forgets the part of the queue that was taken, seldom enough to cost nothing per change. */
  #compact(): void {
    if (this.#head < this.#queue.length && this.#head < 4096) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
}
