// Every schema ever released, and how a value that was written with one is read as the newest.
import avro, { type Schema, type Type } from 'avsc';
import { changeEventSchemaV1 } from './change-event.avsc.js';
import { rabinFingerprint } from './fingerprint.js';

/** Oldest first; the last one is written, all are read. */
const RELEASED: readonly Schema[] = [changeEventSchemaV1 as unknown as Schema];

/** What decodes the values of one writer schema. */
export interface EventReader {
  readonly type: Type;
  readonly resolver?: ReturnType<Type['createResolver']>;
}

const types = RELEASED.map((schema) => avro.Type.forSchema(schema, { wrapUnions: false }));
/** The type that is written. */
export const currentType = types.at(-1) as Type;
const readers = new Map<bigint, EventReader>(
  types.map((type) => [
    fingerprintOf(type),
    type === currentType ? { type } : { type: currentType, resolver: currentType.createResolver(type) },
  ]),
);

export const currentFingerprint = fingerprintOf(currentType);

/** The reader of a released schema; undefined for any other. */
export const readerOf = (fingerprint: bigint): EventReader | undefined => readers.get(fingerprint);

export const fingerprintText = (fingerprint: bigint): string => fingerprint.toString(16).padStart(16, '0');

/** The schema that is written, in Avro's JSON form, for registries and documentation. */
export function changeEventSchema(): string {
  return JSON.stringify(RELEASED.at(-1), null, 2);
}

/** The fingerprint of the schema that is written, 16 hexadecimal digits. */
export function changeEventFingerprint(): string {
  return fingerprintText(currentFingerprint);
}

/** The fingerprint of any Avro schema's text. */
export function fingerprintOfSchema(text: string): bigint {
  // Names that avsc takes for its own come from other people's schemas; theirs are not read anyway.
  return fingerprintOf(avro.Type.forSchema(JSON.parse(text) as Schema, { wrapUnions: false }));
}

function fingerprintOf(type: Type): bigint {
  return rabinFingerprint(JSON.stringify(type.schema()));
}
