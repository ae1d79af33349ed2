// Writes as they go on while a pipeline runs: inserts, updates, replacements and deletes of the same few thousand
// documents, some of them several times in a row, which is where an order that is not kept shows.

import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyBulkWriteOperation, Collection, Document } from 'mongodb';
import { mixedFields, mixedId } from './documents.js';
import type { Random } from './random.js';

export interface LiveMixOptions {
  /** Operations a second, over all collections; as many as the server takes when not given. */
  readonly rate?: number;
  /** Operations in one bulk write. */
  readonly batch?: number;
  /** Bytes of one document, about. */
  readonly documentBytes?: number;
}

export class LiveMix {
  readonly #collections: readonly Collection[];
  readonly #random: Random;
  readonly #options: LiveMixOptions;
  readonly #ids: unknown[][];
  #next: number;
  operations = 0;

  /** @param firstId - the number of the first id that this mix makes, behind those that are there */
  constructor(collections: readonly Collection[], random: Random, firstId: number, options: LiveMixOptions = {}) {
    this.#collections = collections;
    this.#random = random;
    this.#options = options;
    this.#next = firstId;
    this.#ids = collections.map(() => []);
  }

  /** Names documents that are there already, to be changed and deleted as well. */
  async adopt(limit: number): Promise<void> {
    for (const [index, collection] of this.#collections.entries()) {
      const found = await collection.find({}, { projection: { _id: 1 }, limit, promoteValues: false }).toArray();
      this.#ids[index] = found.map((document) => document._id as unknown);
    }
  }

  /** Writes until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { rate, batch = 20 } = this.#options;
    const startedAtMs = performance.now();
    while (!signal.aborted) {
      await this.step(batch);
      if (rate === undefined) continue;
      const dueAtMs = startedAtMs + (this.operations / rate) * 1000;
      const early = dueAtMs - performance.now();
      if (early > 1) await sleep(early, undefined, { signal }).catch(() => {});
    }
  }

  /** One bulk write to one collection. */
  async step(operations: number): Promise<void> {
    const index = this.#random.below(this.#collections.length);
    const ids = this.#ids[index] as unknown[];
    const writes = Array.from({ length: operations }, () => this.#operation(ids));
    await (this.#collections[index] as Collection).bulkWrite(writes, { ordered: true });
    this.operations += operations;
  }

  #operation(ids: unknown[]): AnyBulkWriteOperation<Document> {
    const dice = this.#random.below(100);
    const bytes = this.#options.documentBytes ?? 600;
    if (ids.length < 10 || dice < 30) {
      const id = mixedId(this.#random, this.#next++);
      ids.push(id);
      return { insertOne: { document: { _id: id as never, ...mixedFields(this.#random, bytes) } } };
    }
    // Mostly the same few documents, so that changes of one document follow each other closely.
    const at = this.#random.below(2) === 0 ? this.#random.below(ids.length) : Math.max(0, ids.length - 1 - this.#random.below(10));
    const _id = ids[at] as never;
    if (dice < 60) return { updateOne: { filter: { _id }, update: { $set: { note: this.#random.text(20) }, $inc: { quantity: 1 } } } };
    if (dice < 75)
      return { updateOne: { filter: { _id }, update: { $push: { tags: this.#random.text(5) as never }, $unset: { paid: '' } } } };
    if (dice < 90) return { replaceOne: { filter: { _id }, replacement: mixedFields(this.#random, bytes) } };
    if (dice < 97) ids.splice(at, 1); // Otherwise the id stays, and later writes meet a document that is gone.
    return { deleteOne: { filter: { _id } } };
  }
}
