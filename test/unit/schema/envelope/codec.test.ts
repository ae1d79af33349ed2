// The framing of change events, and what is refused as not being one.
import {
  type ChangeEvent,
  changeEventFingerprint,
  decodeChangeEvent,
  encodeChangeEvent,
  InvalidEnvelopeError,
  Position,
  writeChangeEvent,
} from '@tailwater/schema';
import { BSON } from 'bson';
import { describe, expect, it } from 'vitest';

const event: ChangeEvent = {
  op: 'insert',
  origin: 'tail',
  namespace: { database: 'shop', collection: 'orders' },
  position: new Position(1_710_276_607, 4),
  wallTimeMs: 1_710_276_607_123,
  transaction: null,
  updateDescription: null,
  document: Buffer.from(BSON.serialize({ _id: 1, total: 12.5 })),
};

describe('encodeChangeEvent', () => {
  it('frames the event as Avro single-object encoding', () => {
    const value = encodeChangeEvent(event);
    expect(value.subarray(0, 2).toString('hex')).toBe('c301');
    expect(value.readBigUInt64LE(2).toString(16).padStart(16, '0')).toBe(changeEventFingerprint());
  });

  it('ends with the document as it is', () => {
    expect(encodeChangeEvent(event).subarray(-event.document.length).equals(event.document)).toBe(true);
  });

  it('takes a document of 16 MB', () => {
    const document = Buffer.from(BSON.serialize({ _id: 1, blob: Buffer.alloc(16 * 1024 * 1024 - 100, 7) }));
    expect(decodeChangeEvent(encodeChangeEvent({ ...event, document })).document.equals(document)).toBe(true);
  });

  it('takes names and updates that are longer than the room it first allots', () => {
    const long = {
      ...event,
      updateDescription: { updatedFields: event.document, removedFields: ['x'.repeat(2_000)], truncatedArrays: [] },
    };
    expect(decodeChangeEvent(encodeChangeEvent(long))).toEqual(long);
  });
});

describe('writeChangeEvent', () => {
  it('says where the event would have ended, in a buffer that is too small', () => {
    const needed = encodeChangeEvent(event).length;
    for (const room of [0, 1, 9, 10, 11, needed - 1]) expect(writeChangeEvent(event, Buffer.alloc(room), 0)).toBe(needed);
    expect(writeChangeEvent(event, Buffer.alloc(5), 5)).toBe(5 + needed);
  });

  it('writes one event after another', () => {
    const out = Buffer.alloc(1_000);
    const other: ChangeEvent = { ...event, op: 'update', transaction: { id: 'tx', index: 3 }, position: new Position(2, 3, 3) };
    const middle = writeChangeEvent(event, out, 0);
    const end = writeChangeEvent(other, out, middle);
    expect(decodeChangeEvent(out.subarray(0, middle))).toEqual(event);
    expect(decodeChangeEvent(out.subarray(middle, end))).toEqual(other);
  });
});

describe('decodeChangeEvent', () => {
  const value = encodeChangeEvent(event);

  it('copies the document, so that the batch it came in can be let go', () => {
    const mine = Buffer.from(value);
    const decoded = decodeChangeEvent(mine);
    mine.fill(0);
    expect(decoded.document.equals(event.document)).toBe(true);
  });

  it('refuses a value with another marker', () => {
    const other = Buffer.from(value);
    other[0] = 1;
    expect(() => decodeChangeEvent(other)).toThrow(InvalidEnvelopeError);
    expect(() => decodeChangeEvent(other)).toThrow(/does not begin with the marker/);
  });

  it.each([0, 1, 2, 9])('refuses a value of %i bytes', (length) => {
    expect(() => decodeChangeEvent(value.subarray(0, length))).toThrow(/does not begin with the marker/);
  });

  it('names the schema that it does not know', () => {
    const other = Buffer.from(value);
    other.writeBigUInt64LE(0x0123456789abcdefn, 2);
    expect(() => decodeChangeEvent(other)).toThrow(InvalidEnvelopeError);
    expect(() => decodeChangeEvent(other)).toThrow(/schema 0123456789abcdef, which this release does not know/);
  });

  it('refuses a value without its end', () => {
    for (let length = 10; length < value.length; length++) {
      expect(() => decodeChangeEvent(value.subarray(0, length)), `${length} bytes`).toThrow(InvalidEnvelopeError);
    }
  });

  it('says why a value does not follow its schema', () => {
    const other = Buffer.from(value);
    other[10] = 0x7e; // the operation: an enum of four symbols has no 63rd
    try {
      decodeChangeEvent(other);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidEnvelopeError);
      expect((error as Error).cause).toBeInstanceOf(Error);
    }
  });
});
