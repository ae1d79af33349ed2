// Every schema ever released, and records written with it: what is in a topic for years must stay readable. The canonical
// forms, fingerprints and records agree with a second implementation of Avro (Python's fastavro).
import { readdirSync, readFileSync } from 'node:fs';
import {
  changeEventFingerprint,
  changeEventSchema,
  decodeChangeEvent,
  encodeChangeEvent,
  Position,
  rabinFingerprint,
} from '@tailwater/schema';
import avro, { type Schema } from 'avsc';
import { describe, expect, it } from 'vitest';

interface ReleasedRecord {
  readonly description: string;
  readonly op: string;
  readonly origin: string;
  readonly database: string;
  readonly collection: string;
  readonly position: string;
  readonly wallTimeMs: number;
  readonly transaction: { readonly id: string; readonly index: number } | null;
  readonly updateDescription: {
    readonly updatedFields: string;
    readonly removedFields: string[];
    readonly truncatedArrays: object[];
  } | null;
  /** BSON, in hexadecimal digits. */
  readonly document: string;
  /** The record's value, in hexadecimal digits. */
  readonly value: string;
}

interface ReleasedSchema {
  readonly canonicalForm: string;
  readonly fingerprint: string;
  readonly records: readonly ReleasedRecord[];
}

const fixtures = new URL('../../../fixtures/schema/', import.meta.url);
const released = readdirSync(fixtures)
  .filter((name) => name.startsWith('change-event-'))
  .map((name) => [name, JSON.parse(readFileSync(new URL(name, fixtures), 'utf8')) as ReleasedSchema] as const);

describe.each(released)('%s', (_name, { canonicalForm, fingerprint, records }) => {
  it('has the fingerprint that its records begin with', () => {
    expect(rabinFingerprint(canonicalForm).toString(16).padStart(16, '0')).toBe(fingerprint);
    const littleEndian = Buffer.from(fingerprint, 'hex').reverse().toString('hex');
    for (const { value } of records) expect(value.slice(0, 20)).toBe(`c301${littleEndian}`);
  });

  it.each(records)('still decodes $description', (record) => {
    const event = decodeChangeEvent(Buffer.from(record.value, 'hex'));
    expect(event).toEqual({
      op: record.op,
      origin: record.origin,
      namespace: { database: record.database, collection: record.collection },
      position: Position.parse(record.position),
      wallTimeMs: record.wallTimeMs,
      transaction: record.transaction,
      updateDescription: record.updateDescription && {
        ...record.updateDescription,
        updatedFields: Buffer.from(record.updateDescription.updatedFields, 'hex'),
      },
      document: Buffer.from(record.document, 'hex'),
    });
  });
});

describe('the schema that is written', () => {
  const written = released.find(([, { fingerprint }]) => fingerprint === changeEventFingerprint())?.[1];

  it('is one of the released ones', () => {
    const type = avro.Type.forSchema(JSON.parse(changeEventSchema()) as Schema);
    expect(JSON.stringify(type.schema())).toBe(written?.canonicalForm);
  });

  it('gives the recorded bytes again', () => {
    for (const { value } of written?.records ?? []) {
      expect(encodeChangeEvent(decodeChangeEvent(Buffer.from(value, 'hex'))).toString('hex')).toBe(value);
    }
  });

  it('is documented for people who read a registry', () => {
    expect(JSON.parse(changeEventSchema())).toMatchObject({ name: 'ChangeEvent', namespace: 'tailwater', doc: expect.any(String) });
  });
});
