// The changes of one read, as parallel columns: no object stands for an event between the oplog and Kafka, and the
// columns are reused from batch to batch.
import type { FileState, Namespace, Operation, Position } from '@tailwater/schema';

/**
 * `leave`: a document is gone from one shard of several. The same `_id` may live on another: the enrich stage makes a delete of it, or what
 * it finds there.
 */
export type ChangeOp = Operation | 'delete' | 'leave';

/** A namespace as the pipeline meets it: one object per namespace for the life of a process, so that identity is enough to compare. */
export interface TrackedNamespace extends Namespace {
  /** `db.coll` */
  readonly name: string;
  readonly included: boolean;
  /** Of the files of a GridFS bucket: the collection that holds their chunks. */
  readonly chunks?: string;
}

/** A command that changes which documents exist, at its place among the changes of its batch. */
export interface CollectionCommand {
  readonly kind: 'create' | 'drop' | 'rename';
  readonly namespace: TrackedNamespace;
  /** Where a rename moved the collection to. */
  readonly to?: TrackedNamespace;
  /** One shard's business, or a part of a collection's: there may be a collection, with documents that nothing was said of. */
  readonly isPartial?: boolean;
  readonly t: number;
  readonly i: number;
  readonly wallTimeMs: number;
}

/** The transaction that an operation belongs to. */
export interface TransactionRef {
  readonly id: string;
  readonly index: number;
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Columns of equal length. Row `n` is the change of `namespace[n]`'s document with key `key[n]`; its `_id` is the value of
 * type `idType[n]` at `idStart[n]` to `idEnd[n]` of `idSource[n]`, and its document, where `document[n]` is defined, is BSON.
 * An update whose full document is not known yet has none: the enrich stage reads it.
 */
export class ChangeBatch {
  length = 0;
  readonly op: ChangeOp[] = [];
  readonly namespace: TrackedNamespace[] = [];
  readonly key: string[] = [];
  readonly t: number[] = [];
  readonly i: number[] = [];
  readonly ordinal: number[] = [];
  readonly wallTimeMs: number[] = [];
  readonly transaction: (TransactionRef | null)[] = [];
  readonly idSource: Buffer[] = [];
  readonly idType: number[] = [];
  readonly idStart: number[] = [];
  readonly idEnd: number[] = [];
  readonly document: (Buffer | undefined)[] = [];
  /** Where in `idSource` what an update changed begins: the `o` of its entry, or the description of its event. It counts in rows of updates. */
  readonly updateStart: number[] = [];
  /** What is known of the content of a file; it counts in rows of buckets, once the enrich stage has had them. */
  readonly file: (FileState | undefined)[] = [];
  readonly commands: CollectionCommand[] = [];

  clear(): void {
    this.length = 0;
    this.commands.length = 0;
  }

  /** Lets go of the documents of the rows `[from, to)`, which are encoded: those that were looked up are the largest part of a batch. */
  releaseDocuments(from: number, to: number): void {
    this.document.fill(undefined, from, to);
  }

  /** Lets go of all bytes that its rows hold on to: each of them keeps a whole reply of the server. The rows are of no use behind it. */
  release(): void {
    this.document.fill(undefined);
    this.idSource.fill(NO_BYTES);
    this.length = 0;
  }

  /** Appends what a read of the source found at a position, which no entry of the oplog says. Its `_id` and document are the caller's to fill in. */
  addRead(op: 'read' | 'delete', namespace: TrackedNamespace, key: string, { t, i }: Position): number {
    const row = this.length++;
    this.op[row] = op;
    this.namespace[row] = namespace;
    this.key[row] = key;
    this.t[row] = t;
    this.i[row] = i;
    this.ordinal[row] = 0;
    this.wallTimeMs[row] = t * 1000;
    this.transaction[row] = null;
    return row;
  }
}

/** Whether a row is not complete without what the source has under its `_id`. */
export const isLookedUp = (batch: ChangeBatch, row: number): boolean =>
  batch.op[row] === 'leave' || (batch.op[row] === 'update' && batch.document[row] === undefined);
