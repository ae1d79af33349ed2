// The changes of one place in one lane, in order.
import type { Delivery } from './delivery.js';

export interface BatchLimits {
  /** Changes per request. */
  readonly count: number;
  /** Bytes per request; a single larger change still goes, alone. */
  readonly bytes: number;
  /** How long, in milliseconds, a change waits for others to share its request. */
  readonly lingerMs: number;
}

/** What is put together for one request. */
export class Batch {
  readonly #limits: Pick<BatchLimits, 'count' | 'bytes'>;
  readonly #deliveries: (Delivery | undefined)[] = [];
  #bytes = 0;

  constructor(limits: Pick<BatchLimits, 'count' | 'bytes'>) {
    this.#limits = limits;
  }

  /** What goes: without what was superseded. */
  get deliveries(): Delivery[] {
    return this.#deliveries.filter((delivery) => delivery !== undefined);
  }

  takes(delivery: Delivery): boolean {
    if (this.#deliveries.length >= this.#limits.count) return false;
    return this.#bytes === 0 || this.#bytes + delivery.bytes <= this.#limits.bytes;
  }

  /** @returns where it is, for {@link supersede} */
  add(delivery: Delivery): number {
    this.#bytes += delivery.bytes;
    return this.#deliveries.push(delivery) - 1;
  }

  supersede(index: number): void {
    this.#bytes -= this.#deliveries[index]?.bytes ?? 0;
    this.#deliveries[index]?.settle('superseded');
    this.#deliveries[index] = undefined;
  }
}

export class DeliveryQueue {
  #queue: Delivery[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#queue.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  push(delivery: Delivery): void {
    this.#queue.push(delivery);
    this.#bytes += delivery.bytes;
  }

  /** These were taken before all that waits. */
  putBack(deliveries: readonly Delivery[]): void {
    this.#queue = [...deliveries, ...this.#queue.slice(this.#head)];
    this.#head = 0;
    for (const { bytes } of deliveries) this.#bytes += bytes;
  }

  /** Adds what comes first to the batch: each key's last change among those it covers; the earlier ones are superseded by it. */
  take(batch: Batch): void {
    const indices = new Map<string, number>();
    while (this.#head < this.#queue.length) {
      const delivery = this.#queue[this.#head] as Delivery;
      if (!delivery.revoked && !batch.takes(delivery)) break;
      this.#head += 1;
      this.#bytes -= delivery.bytes;
      if (delivery.revoked) {
        delivery.settle('returned');
        continue;
      }
      const { key } = delivery.change;
      const earlier = indices.get(key);
      if (earlier !== undefined) batch.supersede(earlier);
      indices.set(key, batch.add(delivery));
    }
    this.#compact();
  }

  /** Settles what waits of partitions that were given back; the rest keeps its order. */
  returnRevoked(): void {
    const waiting = this.clear();
    for (const delivery of waiting) {
      if (delivery.revoked) delivery.settle('returned');
      else this.push(delivery);
    }
  }

  /** Takes out everything that waits. */
  clear(): Delivery[] {
    const waiting = this.#queue.slice(this.#head);
    this.#queue = [];
    this.#head = 0;
    this.#bytes = 0;
    return waiting;
  }

  /** Forgets the part of the queue that was taken, seldom enough to cost nothing per change. */
  #compact(): void {
    if (this.#head < this.#queue.length && this.#head < 4096) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#head = 0;
  }
}
