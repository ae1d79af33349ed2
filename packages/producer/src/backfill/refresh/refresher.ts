// Publishes single documents as they are now, beside the tail: read in a window of touched keys like a chunk of a snapshot, so
// that promise B holds. What the source does not have gets its tombstone.
import { type Position, recordKeyOf } from '@tailwater/schema';
import type { TrackedNamespace } from '../../changes/change-batch.js';
import type { Sequencer } from '../../writer/sequencer.js';
import type { TailProgress } from '../../writer/tail-progress.js';
import type { TouchedKeys } from '../../writer/touched-keys.js';
import type { Chunk } from '../snapshot/chunk-reader.js';
import type { KeyedIds, SourceKeys } from '../sweep/source-keys.js';
import type { SourceDocuments } from './source-documents.js';

/** Documents read and published at once, as far as their bytes allow it. */
const GROUP_DOCUMENTS = 32;

export interface RefresherDependencies {
  readonly documents: Pick<SourceDocuments, 'find'>;
  readonly keys: Pick<SourceKeys, 'find'>;
  readonly sequencer: Sequencer;
  readonly progress: TailProgress;
  readonly touched: TouchedKeys;
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
      const read = await this.#publish(namespace, group, signal);
      for (const key of group.keys()) if (!read.unread.has(key)) left.delete(key);
      present += read.documents.length;
      absent += read.absent.length;
    }
    return { present, absent };
  }

  async #publish(namespace: TrackedNamespace, ids: KeyedIds, signal: AbortSignal): Promise<Read> {
    const { sequencer, touched } = this.#deps;
    while (true) {
      signal.throwIfAborted();
      const window = touched.open(namespace);
      try {
        const read = await this.#read(namespace, ids, window.after, signal);
        if (await sequencer.chunk(window, read, 'refresh', () => [], signal)) return read;
        // Another collection has taken the name, or none has: what was read was the old one's.
      } finally {
        touched.close(window);
      }
    }
  }

  async #read(namespace: TrackedNamespace, ids: KeyedIds, touched: Position, signal: AbortSignal): Promise<Read> {
    const { documents, keys, progress } = this.#deps;
    const notBefore = progress.end.compare(touched) > 0 ? progress.end : touched;
    // Which of them there are is asked first: that tells a collection from a view.
    const known = await keys.find(namespace, ids, notBefore, signal);
    const absent = [...ids.keys()].filter((key) => !known.present.has(key));
    if (absent.length === ids.size) return { documents: [], absent, unread: new Map(), position: known.position, lastId: undefined };
    const present = new Map([...ids].filter(([key]) => known.present.has(key)));
    const found = await documents.find(namespace, present, notBefore, signal);
    // What was not read, because the others are large, is read with the next ones.
    const unread = found.isWhole ? new Map() : new Map([...present].filter(([key]) => !found.documents.has(key)));
    return { documents: [...found.documents.values()], absent, unread, position: found.position, lastId: undefined };
  }
}

type Read = Chunk & { readonly absent: readonly string[]; readonly unread: KeyedIds };
