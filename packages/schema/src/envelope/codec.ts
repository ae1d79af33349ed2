// Change events to and from bytes. The first byte tells the three framings apart, which one topic may mix:
// c3 01 and the schema's fingerprint, Avro single-object encoding (https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding);
// 00 and the schema's id in a registry, Confluent framing; { is JSON.
import { Position } from '../position.js';
import type { ChangeEvent, Operation, Origin, UpdateDescription } from './change-event.js';
import { InvalidEnvelopeError, UnknownSchemaError, UnlistedSchemaIdError } from './errors.js';
import { decodeJsonEvent, isJsonEvent } from './json-codec.js';
import { currentFingerprint, currentType, type EventReader, fingerprintText, readerOf } from './released.js';
import { confluentSchemaId, FOREIGN, type SchemaIds } from './schema-ids.js';

const HEADER_BYTES = 10;
const CONFLUENT_HEADER_BYTES = 5;
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

const singleObjectHeader = Buffer.alloc(HEADER_BYTES);
singleObjectHeader.writeUInt16BE(MARKER, 0);
singleObjectHeader.writeBigUInt64LE(currentFingerprint, 2);

const scratch: AvroRecord = {
  op: '',
  origin: '',
  database: '',
  collection: '',
  position: { t: 0, i: 0, ordinal: 0 },
  wallTime: 0,
  transaction: null,
  updateDescription: null,
  document: singleObjectHeader,
};

/**
 * Writes an event into `out` at `at`. The hot path: nothing is allocated, and the document's bytes are copied once. Bytes
 * after the event may be scribbled on, so events are written front to back.
 *
 * @param header - that of `confluentHeader` for Confluent framing
 * @returns the offset after the event; greater than `out.length` when it did not fit, so that the caller grows the buffer and writes again
 */
export function writeChangeEvent(event: ChangeEvent, out: Buffer, at: number, header: Buffer = singleObjectHeader): number {
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
  const end = currentType.encode(scratch, out, at + header.length);
  // avsc answers minus the bytes that were missing.
  return end < 0 ? out.length - end : end;
}

/** The event in a buffer of its own. */
export function encodeChangeEvent(event: ChangeEvent, header: Buffer = singleObjectHeader): Buffer {
  let out = Buffer.allocUnsafe(event.document.length + 512);
  let end = writeChangeEvent(event, out, 0, header);
  if (end > out.length) {
    out = Buffer.allocUnsafe(end);
    end = writeChangeEvent(event, out, 0, header);
  }
  return out.subarray(0, end);
}

/**
 * Reads an event of any released schema, in any framing.
 *
 * @param ids - what is known of a schema registry
 * @throws InvalidEnvelopeError when the framing is unknown or the bytes do not follow their schema, UnknownSchemaError when that
 *   was never released, UnlistedSchemaIdError when it has an id that is not among `ids`
 */
export function decodeChangeEvent(value: Buffer, ids?: SchemaIds): ChangeEvent {
  if (value.length >= HEADER_BYTES && value.readUInt16BE(0) === MARKER) {
    const fingerprint = value.readBigUInt64LE(2);
    const reader = readerOf(fingerprint);
    if (reader === undefined) throw new UnknownSchemaError(fingerprintText(fingerprint));
    return decodeAvro(value, HEADER_BYTES, reader);
  }
  if (isJsonEvent(value)) return decodeJsonEvent(value);
  const id = confluentSchemaId(value);
  if (id === undefined) {
    throw new InvalidEnvelopeError(
      'The value does not begin with the marker of Avro single-object encoding (c3 01), nor with that of a schema registry (00), nor is it JSON',
    );
  }
  const reader = ids?.get(id);
  if (reader === undefined) throw new UnlistedSchemaIdError(id);
  if (reader === FOREIGN)
    throw new InvalidEnvelopeError(`The value was written with schema ${id} of the schema registry, which is not one of change events`);
  if (typeof reader === 'string') throw new UnknownSchemaError(reader);
  return decodeAvro(value, CONFLUENT_HEADER_BYTES, reader);
}

function decodeAvro(value: Buffer, start: number, { type, resolver }: EventReader): ChangeEvent {
  let decoded: { value: AvroRecord | undefined };
  try {
    decoded = type.decode(value, start, resolver);
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
