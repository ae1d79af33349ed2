// A producer that is none of ours, for schedules of consumers: transactions over several partitions, committed, aborted, or open for long.
import { encodeChangeEvent, Position, tombstoneHeaders } from '@tailwater/schema';
import { BSON } from 'bson';
import { batchSize, writeBatch } from '#producer/publish/record-batch.js';
import type { Controller, SimulatedPartition } from './kafka/controller.js';
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

const NOBODY = -1;
const T = 1_800_000_000;

export class Upstream {
  readonly #controller: Controller;
  readonly #random: Random;
  readonly #time: VirtualTime;
  readonly #topics: readonly string[];
  readonly #keys: number;
  #positions = 0;
  #producers = 0;
  #open = 0;

  constructor(parts: { controller: Controller; random: Random; time: VirtualTime }, topics: readonly string[], keys: number) {
    this.#controller = parts.controller;
    this.#random = parts.random;
    this.#time = parts.time;
    this.#topics = topics;
    this.#keys = keys;
  }

  /** Whether all that was begun is ended. */
  get isDone(): boolean {
    return this.#open === 0;
  }

  /** One transaction. */
  write(): void {
    const random = this.#random;
    const producerId = ++this.#producers;
    const written = new Set<SimulatedPartition>();
    for (let left = 1 + random.below(4); left > 0; left -= 1) {
      const topic = random.pick(this.#topics);
      const count = this.#controller.topics.get(topic)?.partitions ?? 1;
      const partition = this.#controller.get(topic, random.below(count));
      if (partition === undefined || partition.now.leader === NOBODY) continue;
      this.#append(partition, producerId, 1 + random.below(4));
      written.add(partition);
    }
    if (written.size === 0) return;
    this.#open += 1;
    const result = random.chance(0.85) ? 'commit' : 'abort';
    this.#time.after(random.delay() * (random.chance(0.1) ? 3 : 0.5), undefined, () => {
      this.#open -= 1;
      for (const partition of written) {
        partition.log.mark(producerId, result, partition.now.epoch);
        this.#controller.appended(partition);
      }
    });
  }

  #append(partition: SimulatedPartition, producerId: number, count: number): void {
    const keys: string[] = [];
    const records = Array.from({ length: count }, () => {
      // A key has one partition.
      const id = partition.partition * this.#keys + this.#random.below(this.#keys);
      keys.push(String(id));
      return this.#record(partition.topic, id);
    });
    const bytes = Buffer.alloc(batchSize(records));
    const timestampMs = Math.floor(Date.now());
    writeBatch(bytes, 0, records, { timestampMs, producerId: BigInt(producerId), producerEpoch: 0, firstSequence: 0, transactional: true });
    partition.log.append(bytes, partition.now.epoch, keys);
    this.#controller.appended(partition);
  }

  #record(topic: string, id: number) {
    const position = new Position(T, ++this.#positions);
    const key = Buffer.from(String(id));
    if (this.#random.chance(0.2))
      return { key, value: null, partition: 0, headers: tombstoneHeaders({ position, origin: 'tail', wallTimeMs: 0 }) };
    const [, database = '', collection = ''] = topic.split('.');
    const value = encodeChangeEvent({
      op: 'insert',
      origin: 'tail',
      namespace: { database, collection },
      position,
      wallTimeMs: 0,
      transaction: null,
      updateDescription: null,
      document: Buffer.from(BSON.serialize({ _id: id, at: position.i })),
    });
    return { key, value, partition: 0 };
  }
}
