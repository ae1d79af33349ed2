// Changes, and a target in memory, for tests of the stages between Kafka and a server.
import { setImmediate as turn } from 'node:timers/promises';
import { TailwaterError } from '@tailwater/runtime';
import { type Namespace, Position, recordKeyOf } from '@tailwater/schema';
import { BSON } from 'bson';
import type { Delivery, Outcome } from '#consumer/apply/delivery.js';
import type { Change } from '#consumer/changes/change.js';
import { APPLIED, type ChangeResult, TARGET_API_VERSION, type Target } from '#consumer/targets/target.js';

export const ORDERS: Namespace = { database: 'shop', collection: 'orders' };

export function change(id: unknown, sequence: number, overrides: Partial<Change> = {}): Change {
  const position = new Position(1_700_000_000, sequence);
  return {
    kind: 'upsert',
    key: recordKeyOf(id),
    namespace: ORDERS,
    document: Buffer.from(BSON.serialize({ _id: id, sequence })),
    position,
    origin: 'tail',
    op: 'insert',
    wallTimeMs: 0,
    topic: 'tw.shop.orders',
    partition: 0,
    offset: sequence,
    ...overrides,
  };
}

/** Records how each of its changes ended. */
export class TestDelivery implements Delivery {
  readonly change: Change;
  readonly record = { key: null, value: null, offset: '0' };
  readonly bytes = 100;
  readonly outcomes: Outcome[] = [];
  revoked = false;
  onSettled: (delivery: Delivery) => void = () => undefined;

  constructor(change: Change) {
    this.change = change;
  }

  settle(outcome: Outcome): void {
    this.outcomes.push(outcome);
    this.onSettled(this);
  }
}

/** Holds the last change of each key, and checks what every target may rely on. */
export class MemoryTarget implements Target {
  readonly apiVersion = TARGET_API_VERSION;
  readonly kind = 'memory';
  readonly state = new Map<string, Change>();
  readonly batches: Change[][] = [];
  readonly #inFlight = new Set<string>();
  /** Asked for each change of each request: undefined applies it. */
  judge: (change: Change) => ChangeResult | undefined = () => undefined;
  /** Awaited by each request before it answers. */
  gate: () => Promise<unknown> = () => turn();

  nameOf({ database, collection }: Namespace): string {
    return `${database}.${collection}`;
  }

  async connect(): Promise<void> {}

  async applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<ChangeResult[]> {
    const keys = changes.map(({ namespace, key }) => `${namespace.collection} ${key}`);
    for (const key of keys) {
      if (this.#inFlight.has(key)) throw new Error(`${key} is in flight twice`);
      this.#inFlight.add(key);
    }
    let onAbort = () => {};
    const aborted = new Promise((_, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort);
    });
    try {
      await Promise.race([this.gate(), aborted]);
    } finally {
      signal.removeEventListener('abort', onAbort);
      for (const key of keys) this.#inFlight.delete(key);
    }
    this.batches.push([...changes]);
    return changes.map((each) => {
      const result = this.judge(each) ?? APPLIED;
      if (result.status === 'applied') this.state.set(each.key, each);
      return result;
    });
  }

  async close(): Promise<void> {}
}

export const overloaded = (): TailwaterError => new TailwaterError('TW1311', { target: 'memory', address: 'here' });
