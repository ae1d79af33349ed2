// Publishes single documents as they are now, beside the tail: read in a window of touched keys like a chunk of a snapshot, so
// that promise B holds. What the source does not have gets its tombstone.
import { type Position, recordKeyOf } from '@tailwater/schema';
import type { TrackedNamespace } from '../../changes/change-batch.js';
import type { BackfillWriter } from '../backfill-writer.js';
import type { ReadRows } from '../read-rows.js';
import type { IdsByKey, SourceKeys } from '../source-keys.js';
import type { SourceDocuments } from './source-documents.js';

/** Documents read and published at once, as far as their bytes allow it. */
const GROUP_DOCUMENTS = 32;

export interface RefresherDependencies {
  readonly documents: Pick<SourceDocuments, 'find'>;
  readonly keys: Pick<SourceKeys, 'find'>;
  readonly backfill: Pick<BackfillWriter, 'readAndPublish'>;
}

export interface Refreshed {
  /** Of the ids, how many the source has, and how many got a tombstone. */
  readonly present: number;
  readonly absent: number;
}

export class Refresher {
  readonly #deps: RefresherDependencies;

  constructor(deps: RefresherDependencies) {
    this.#deps = deps;
  }

  async refresh(namespace: TrackedNamespace, ids: readonly unknown[], signal: AbortSignal): Promise<Refreshed> {
    const left = new Map(ids.map((id): [string, unknown] => [recordKeyOf(id), id]));
    let [present, absent] = [0, 0];
    while (left.size > 0) {
      const group = new Map([...left].slice(0, GROUP_DOCUMENTS));
      const read = (notBefore: Position) => this.#read(namespace, group, notBefore, signal);
      const { rows } = await this.#deps.backfill.readAndPublish(namespace, read, 'refresh', signal);
      for (const key of group.keys()) if (!rows.unread.has(key)) left.delete(key);
      present += rows.documents.length;
      absent += rows.absent.length;
    }
    return { present, absent };
  }

  async #read(namespace: TrackedNamespace, ids: IdsByKey, notBefore: Position, signal: AbortSignal): Promise<Read> {
    const { documents, keys } = this.#deps;
    // Which of them there are is asked first: that tells a collection from a view.
    const known = await keys.find(namespace, ids, notBefore, signal);
    const absent = [...ids.keys()].filter((key) => !known.present.has(key));
    if (absent.length === ids.size) return { documents: [], absent, unread: new Map(), position: known.position };
    const present = new Map([...ids].filter(([key]) => known.present.has(key)));
    const found = await documents.find(namespace, present, notBefore, signal);
    // What was not read, because the others are large, is read with the next ones.
    const unread = found.isWhole ? new Map() : new Map([...present].filter(([key]) => !found.documents.has(key)));
    return { documents: [...found.documents.values()], absent, unread, position: found.position };
  }
}

type Read = ReadRows & { readonly absent: readonly string[]; readonly unread: IdsByKey };
