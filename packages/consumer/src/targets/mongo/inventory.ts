// What a collection of the target holds, by record key: the keys of equal ids are equal, whatever their type.
import { findId, formatNamespace, type Namespace, Position, recordKey } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { Change } from '../../changes/change.js';
import type { Held, Inventory } from '../inventory.js';
import type { ChangeResult } from '../target.js';

const PORTION = 1_000;
const NOTHING = Buffer.alloc(0);
/** Newer than everything, for documents that keep their version. */
const LATEST = new Position(0x7fff_ffff, 0xffff_ffff);

type Apply = (changes: readonly Change[], signal: AbortSignal) => Promise<readonly ChangeResult[]>;

export class CollectionInventory implements Inventory {
  readonly place: string;
  readonly #client: MongoClient;
  readonly #namespace: Namespace;
  readonly #apply: Apply;
  readonly #failure: (error: unknown) => Promise<unknown>;

  constructor(client: MongoClient, namespace: Namespace, apply: Apply, failure: (error: unknown) => Promise<unknown>) {
    this.place = formatNamespace(namespace);
    this.#client = client;
    this.#namespace = namespace;
    this.#apply = apply;
    this.#failure = failure;
  }

  idOf(key: string): string {
    return key;
  }

  async *scan(signal: AbortSignal): AsyncGenerator<readonly Held[]> {
    const { database, collection } = this.#namespace;
    const cursor = this.#client
      .db(database)
      .collection(collection)
      .find({}, { projection: { _id: 1 }, raw: true, batchSize: PORTION, readPreference: 'primary', signal });
    try {
      let portion: Held[] = [];
      for await (const document of cursor) {
        const source = document as unknown as Buffer;
        const id = findId(source);
        if (id !== undefined) portion.push({ id: recordKey(source, id.type, id.start) });
        if (portion.length < PORTION) continue;
        yield portion;
        portion = [];
      }
      if (portion.length > 0) yield portion;
    } catch (error) {
      throw await this.#failure(error);
    } finally {
      await cursor.close().catch(() => undefined);
    }
  }

  async remove(held: readonly Held[], signal: AbortSignal): Promise<number> {
    const results = await this.#apply(
      held.map(({ id }) => this.#deleteOf(id)),
      signal,
    );
    return results.filter(({ status }) => status === 'applied').length;
  }

  #deleteOf(key: string): Change {
    const place = { topic: '', partition: 0, offset: 0, wallTimeMs: 0, origin: 'sweep', op: 'delete' } as const;
    return { ...place, kind: 'delete', key, namespace: this.#namespace, document: NOTHING, position: LATEST };
  }
}
