// Change events as JSON, for readers that know no Avro: the same fields, with the document as relaxed Extended JSON.
import { BSON } from 'bson';
import { InvalidBsonError } from '../bson/walk.js';
import { bsonToJson } from '../json/bson-to-json.js';
import { InvalidJsonError } from '../json/json-scanner.js';
import { jsonToBson } from '../json/json-to-bson.js';
import { Position } from '../position.js';
import type { ChangeEvent, Operation, Origin, UpdateDescription } from './change-event.js';
import { InvalidEnvelopeError, UnknownSchemaError } from './errors.js';

const VERSION = 1;
const OPENING_BRACE = 0x7b;
const OPERATIONS: readonly unknown[] = ['insert', 'update', 'replace', 'read'] satisfies Operation[];
const ORIGINS: readonly unknown[] = ['tail', 'snapshot', 'sweep', 'refresh'] satisfies Origin[];

/** Whether a value is JSON: no other framing begins so. */
export const isJsonEvent = (value: Buffer): boolean => value[0] === OPENING_BRACE;

/**
 * The event as JSON text.
 *
 * @throws InvalidBsonError when the document is not BSON
 */
export function encodeJsonEvent(event: ChangeEvent): string {
  const { op, origin, namespace, position, wallTimeMs, transaction, updateDescription, document } = event;
  const { t, i, ordinal } = position;
  return (
    `{"version":${VERSION},"op":"${op}","origin":"${origin}",` +
    `"database":${JSON.stringify(namespace.database)},"collection":${JSON.stringify(namespace.collection)},` +
    `"position":{"t":${t},"i":${i},"ordinal":${ordinal}},"wallTime":${wallTimeMs},` +
    `"transaction":${JSON.stringify(transaction)},"updateDescription":${descriptionJson(updateDescription)},"document":${bsonToJson(document)}}`
  );
}

function descriptionJson(description: UpdateDescription | null): string {
  if (description === null) return 'null';
  const { updatedFields, removedFields, truncatedArrays } = description;
  return `{"updatedFields":${bsonToJson(updatedFields)},"removedFields":${JSON.stringify(removedFields)},"truncatedArrays":${JSON.stringify(truncatedArrays)}}`;
}

/** @throws InvalidEnvelopeError when the JSON is no change event, UnknownSchemaError when it is one of a later release */
export function decodeJsonEvent(value: Buffer): ChangeEvent {
  try {
    return toEvent(fieldsOf(jsonToBson(value)));
  } catch (error) {
    if (error instanceof InvalidJsonError || error instanceof InvalidBsonError)
      throw new InvalidEnvelopeError(error.message, { cause: error });
    throw error;
  }
}

/** The values of a document; documents among them are left as they are. */
const fieldsOf = (document: Buffer): BSON.Document => BSON.deserialize(document, { raw: true, validation: { utf8: false } });

function toEvent(fields: BSON.Document): ChangeEvent {
  const { version, op, origin, database, collection, position, wallTime, transaction, updateDescription, document } = fields;
  if (!Number.isInteger(version)) throw new InvalidEnvelopeError('The JSON has no version: it is not a change event');
  if (version !== VERSION) throw new UnknownSchemaError(`json/${String(version)}`);
  if (!OPERATIONS.includes(op)) throw wrong('op');
  if (!ORIGINS.includes(origin)) throw wrong('origin');
  if (typeof wallTime !== 'number') throw wrong('wallTime');
  return {
    op: op as Operation,
    origin: origin as Origin,
    namespace: { database: textOf(database, 'database'), collection: textOf(collection, 'collection') },
    position: positionOf(position),
    wallTimeMs: wallTime,
    transaction: transaction == null ? null : transactionOf(transaction),
    updateDescription: updateDescription == null ? null : descriptionOf(updateDescription),
    document: documentOf(document, 'document'),
  };
}

const wrong = (field: string): InvalidEnvelopeError =>
  new InvalidEnvelopeError(`The JSON is not a change event: ${field} is missing or wrong`);

function textOf(value: unknown, field: string): string {
  if (typeof value !== 'string') throw wrong(field);
  return value;
}

function documentOf(value: unknown, field: string): Buffer {
  if (!Buffer.isBuffer(value)) throw wrong(field);
  return value;
}

function positionOf(value: unknown): Position {
  const { t, i, ordinal } = fieldsOf(documentOf(value, 'position'));
  // As text it is checked like any other.
  const position = Position.parse(`${t}:${i}:${ordinal}`);
  if (position === undefined) throw wrong('position');
  return position;
}

function transactionOf(value: unknown): ChangeEvent['transaction'] {
  const { id, index } = fieldsOf(documentOf(value, 'transaction'));
  if (typeof id !== 'string' || !Number.isInteger(index)) throw wrong('transaction');
  return { id, index };
}

function descriptionOf(value: unknown): UpdateDescription {
  const field = 'updateDescription';
  const { updatedFields, removedFields, truncatedArrays } = fieldsOf(documentOf(value, field));
  if (!Array.isArray(removedFields) || !Array.isArray(truncatedArrays)) throw wrong(field);
  return {
    updatedFields: documentOf(updatedFields, field),
    removedFields,
    truncatedArrays: truncatedArrays.map((each) => fieldsOf(documentOf(each, field)) as { field: string; newSize: number }),
  };
}
