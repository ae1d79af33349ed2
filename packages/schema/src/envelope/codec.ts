// Change events to and from Avro single-object encoding: two marker bytes, the writer schema's fingerprint, the record.
// https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding
import avro, { type Schema, type Type } from 'avsc';
import { Position } from '../position.js';
import { changeEventSchemaV1 } from './change-event.avsc.js';
import type { ChangeEvent, Operation, Origin, UpdateDescription } from './change-event.js';
import { rabinFingerprint } from './fingerprint.js';

/** Every schema ever released, oldest first; the last one is written, all are read. */
const RELEASED: readonly Schema[] = [changeEventSchemaV1 as unknown as Schema];
const HEADER_BYTES = 10;
const MARKER = 0xc301;

/** The record as avsc sees it: the schema's field names, and `_id`-free plain values. */
interface AvroRecord {
  op: string;
  origin: string;
  database: string;
  collection: string;
  position: { t: number; i: number; ordinal: number };
  wallTime: number;
  transaction: { id: string; index: number } | null;
  updateDescription: {
    updatedFields: Buffer;
    removedFields: readonly string[];
    truncatedArrays: readonly { field: string; newSize: number }[];
  } | null;
  document: Buffer;
}

const types = RELEASED.map((schema) => avro.Type.forSchema(schema, { wrapUnions: false }));
const current = types.at(-1) as Type;
const readers = new Map(
  types.map((type) => [fingerprintOf(type), type === current ? { type } : { type: current, resolver: current.createResolver(type) }]),
);
const header = Buffer.alloc(HEADER_BYTES);
header.writeUInt16BE(MARKER, 0);
header.writeBigUInt64LE(fingerprintOf(current), 2);

function fingerprintOf(type: Type): bigint {
  return rabinFingerprint(JSON.stringify(type.schema()));
}

/** Thrown for a value that is not a change event; the consumer dead-letters the record. */
export class InvalidEnvelopeError extends Error {
  override readonly name = 'InvalidEnvelopeError';
}

/** Thrown for an envelope that a later release wrote, or somebody else. */
export class UnknownSchemaError extends InvalidEnvelopeError {
  /** 16 hexadecimal digits. */
  readonly fingerprint: string;

  constructor(fingerprint: string) {
    super(`The value was written with schema ${fingerprint}, which this release does not know`);
    this.fingerprint = fingerprint;
  }
}

const scratch: AvroRecord = {
  op: '',
  origin: '',
  database: '',
  collection: '',
  position: { t: 0, i: 0, ordinal: 0 },
  wallTime: 0,
  transaction: null,
  updateDescription: null,
  document: header,
};

/**
 * Writes an event into `out` at `at`. The hot path: nothing is allocated, and the document's bytes are copied once. Bytes
 * after the event may be scribbled on, so events are written front to back.
 *
 * @returns the offset after the event; greater than `out.length` when it did not fit, so that the caller grows the buffer and writes again
 */
export function writeChangeEvent(event: ChangeEvent, out: Buffer, at: number): number {
  scratch.op = event.op;
  scratch.origin = event.origin;
  scratch.database = event.namespace.database;
  scratch.collection = event.namespace.collection;
  scratch.position = event.position;
  scratch.wallTime = event.wallTimeMs;
  scratch.transaction = event.transaction;
  scratch.updateDescription = event.updateDescription;
  scratch.document = event.document;
  header.copy(out, at);
  const end = current.encode(scratch, out, at + HEADER_BYTES);
  // avsc answers minus the bytes that were missing.
  return end < 0 ? out.length - end : end;
}

/** The event in a buffer of its own. */
export function encodeChangeEvent(event: ChangeEvent): Buffer {
  let out = Buffer.allocUnsafe(event.document.length + 512);
  let end = writeChangeEvent(event, out, 0);
  if (end > out.length) {
    out = Buffer.allocUnsafe(end);
    end = writeChangeEvent(event, out, 0);
  }
  return out.subarray(0, end);
}

/**
 * Reads an event of any released schema.
 *
 * @throws InvalidEnvelopeError when the framing is unknown or the bytes do not follow their schema, UnknownSchemaError when that was never released
 */
export function decodeChangeEvent(value: Buffer): ChangeEvent {
  if (value.length < HEADER_BYTES || value.readUInt16BE(0) !== MARKER) {
    throw new InvalidEnvelopeError('The value does not begin with the marker of Avro single-object encoding (c3 01)');
  }
  const fingerprint = value.readBigUInt64LE(2);
  const reader = readers.get(fingerprint);
  if (reader === undefined) throw new UnknownSchemaError(fingerprint.toString(16).padStart(16, '0'));
  let decoded: { value: AvroRecord | undefined };
  try {
    decoded = reader.type.decode(value, HEADER_BYTES, 'resolver' in reader ? reader.resolver : undefined);
  } catch (error) {
    throw new InvalidEnvelopeError('The value does not follow its schema', { cause: error });
  }
  const record = decoded.value;
  if (record === undefined) throw new InvalidEnvelopeError('The value ends before its schema does');
  return {
    op: record.op as Operation,
    origin: record.origin as Origin,
    namespace: { database: record.database, collection: record.collection },
    position: new Position(record.position.t, record.position.i, record.position.ordinal),
    wallTimeMs: record.wallTime,
    transaction: record.transaction,
    updateDescription: record.updateDescription as UpdateDescription | null,
    document: record.document,
  };
}

/** The schema that is written, in Avro's JSON form, for registries and documentation. */
export function changeEventSchema(): string {
  return JSON.stringify(RELEASED.at(-1), null, 2);
}

/** The fingerprint of the schema that is written, 16 hexadecimal digits. */
export function changeEventFingerprint(): string {
  return fingerprintOf(current).toString(16).padStart(16, '0');
}
