// A change event as both halves of the pipeline see it: what Avro carries, with the position as its class.
import type { Namespace } from '../namespace.js';
import type { Position } from '../position.js';

/** What happened to the document; `read`: a snapshot or a refresh found it. A delete is a tombstone, not an event. */
export type Operation = 'insert' | 'update' | 'replace' | 'read';

/** Which part of the producer saw it. */
export type Origin = 'tail' | 'snapshot' | 'sweep' | 'refresh';

/** What an update changed, as change streams report it: https://www.mongodb.com/docs/manual/reference/change-events/update/ */
export interface UpdateDescription {
  /** BSON document of dotted path to new value. */
  readonly updatedFields: Buffer;
  readonly removedFields: readonly string[];
  readonly truncatedArrays: readonly { readonly field: string; readonly newSize: number }[];
}

export interface ChangeEvent {
  readonly op: Operation;
  readonly origin: Origin;
  readonly namespace: Namespace;
  readonly position: Position;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly wallTimeMs: number;
  readonly transaction: { readonly id: string; readonly index: number } | null;
  readonly updateDescription: UpdateDescription | null;
  /** The full document as BSON, at or after the position (promise C). */
  readonly document: Buffer;
}
