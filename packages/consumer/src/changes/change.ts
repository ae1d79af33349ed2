// One change of one document as every stage of the consumer sees it: decoded as far as its position, with the document
// still as the BSON bytes that the producer copied from the oplog (promise C).
import type { FileState, Namespace, Operation, Origin, Position } from '@tailwater/schema';
import type { Refusal } from './refusal.js';

/** What a change of a GridFS file carries beside its document. */
export interface FileContent {
  readonly state: FileState;
  /** With the state `content`, all of it. */
  readonly content?: Buffer;
}

export interface Change {
  readonly kind: 'upsert' | 'delete';
  /** The record key: the document's `_id` as relaxed Extended JSON, equal for equal ids (promise B). */
  readonly key: string;
  /** Where the change goes; after the transform stage the target's name, before it the source's. */
  readonly namespace: Namespace;
  /** The full document as BSON; empty for a delete. */
  readonly document: Buffer;
  /** Its `version` is the change's (promise D): from the position alone, so re-reading yields the same one. */
  readonly position: Position;
  readonly origin: Origin;
  readonly op: Operation | 'delete';
  /** Milliseconds since the epoch, by the source server's clock. */
  readonly wallTimeMs: number;
  readonly topic: string;
  readonly partition: number;
  /** Kafka offsets are 64-bit, but a partition would need 9e15 records before a number lost one. */
  readonly offset: number;
  /** Of a file of a GridFS bucket, whose document is then its files document. */
  readonly file?: FileContent;
  /** Why the transform stage refuses it: it goes where what the target refuses goes, in its turn, and reaches no target. */
  readonly refusal?: Refusal;
  /** Other documents that were made of this one: they are applied with it, and it has ended when they have. */
  readonly parts?: readonly Change[];
}

/** What a queued change costs beside its document: objects, key, queue entries. */
const OVERHEAD_BYTES = 400;

/** What it holds, in bytes. */
export const memoryOf = ({ document, key, file }: Change): number =>
  document.length + (file?.content?.length ?? 0) + key.length + OVERHEAD_BYTES;
