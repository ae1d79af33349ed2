// The walk reads what others wrote: it finds what is there, and nothing it is given makes it run on or read elsewhere.
import { BsonCursor, BsonType, findId, InvalidBsonError, recordKey } from '@tailwater/schema';
import { BSON } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryFields } from './ids/arbitrary-id.js';
import { documentOf, encodeValue } from './ids/id-bson.js';

describe('a document', () => {
  it('is walked field by field, each with its name, type and bytes', () => {
    fc.assert(
      fc.property(arbitraryFields, fc.nat(20), (fields, before) => {
        const document = documentOf(fields);
        const source = Buffer.concat([Buffer.alloc(before, 0xee), document, Buffer.alloc(7, 0xee)]);
        const cursor = new BsonCursor();
        cursor.enter(source, before);
        for (const [name, value] of fields) {
          expect(cursor.next()).toBe(true);
          expect(cursor.isNamed(name)).toBe(true);
          expect(cursor.isNamed(Buffer.concat([name, Buffer.from('x')]))).toBe(false);
          expect(source.subarray(cursor.valueStart, cursor.valueEnd).equals(encodeValue(value))).toBe(true);
        }
        expect(cursor.next()).toBe(false);
        expect(cursor.next()).toBe(false);
      }),
      { numRuns: 2_000 },
    );
  });

  it('has the fields that the bson package finds in it', () => {
    const value = fc.oneof(
      fc.integer(),
      fc.double(),
      fc.string(),
      fc.boolean(),
      fc.date({ noInvalidDate: true }),
      fc.object({ maxDepth: 2 }),
      fc.array(fc.string()),
    );
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string({ unit: 'grapheme' }).filter((name) => !name.includes('\0')),
          value,
        ),
        (object) => {
          const document = Buffer.from(BSON.serialize(object));
          const found: [string, unknown][] = [];
          const cursor = new BsonCursor();
          cursor.enter(document, 0);
          while (cursor.next()) {
            const element = document.subarray(cursor.nameStart - 1, cursor.valueEnd);
            found.push([cursor.name(), BSON.deserialize(wrapped(element))[cursor.name()]]);
          }
          expect(found).toEqual(Object.entries(BSON.deserialize(document)));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('a corrupt document', () => {
  it('is walked inside its bounds and to an end, or refused as invalid', () => {
    let refused = 0;
    fc.assert(
      fc.property(corruptDocument, (corrupt) => {
        try {
          walk(corrupt, 0, corrupt.length);
          findId(corrupt);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidBsonError);
          refused += 1;
        }
      }),
      { numRuns: 20_000 },
    );
    expect(refused).toBeGreaterThan(1_000);
  });

  it('gives a key or is refused as invalid', () => {
    fc.assert(
      fc.property(corruptDocument, (corrupt) => {
        try {
          JSON.parse(recordKey(corrupt, BsonType.object, 0));
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidBsonError);
        }
      }),
      { numRuns: 10_000 },
    );
  });
});

/** Walks a document and all inside it; `end` is where what holds it ends. */
function walk(source: Buffer, start: number, end: number): void {
  const cursor = new BsonCursor();
  cursor.enter(source, start);
  let previousEnd = start + 4;
  while (cursor.next()) {
    // Each step takes a type and a name's end at least: that no walk lasts for ever follows.
    expect(cursor.valueStart).toBeGreaterThanOrEqual(previousEnd + 2);
    expect(cursor.valueEnd).toBeGreaterThanOrEqual(cursor.valueStart);
    expect(cursor.valueEnd).toBeLessThan(end);
    previousEnd = cursor.valueEnd;
    if (cursor.type === BsonType.object || cursor.type === BsonType.array) walk(source, cursor.valueStart, cursor.valueEnd + 1);
  }
}

type Damage = (bytes: Buffer) => Buffer;

/** A byte changed, a length made extreme, bytes taken away at the end or in the middle. */
const arbitraryDamage: fc.Arbitrary<Damage> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(255)).map(
    ([place, byte]): Damage =>
      (bytes) => {
        const damaged = Buffer.from(bytes);
        if (damaged.length > 0) damaged[place % damaged.length] = byte;
        return damaged;
      },
  ),
  fc
    .tuple(fc.nat(), fc.oneof(fc.constantFrom(-(2 ** 31), -1000, -5, -4, -1, 0, 1, 4, 5, 2 ** 31 - 1), fc.integer({ min: -20, max: 40 })))
    .map(
      ([place, length]): Damage =>
        (bytes) => {
          const damaged = Buffer.from(bytes);
          if (damaged.length >= 4) damaged.writeInt32LE(length, place % (damaged.length - 3));
          return damaged;
        },
    ),
  fc.nat().map(
    (place): Damage =>
      (bytes) =>
        Buffer.from(bytes.subarray(0, place % (bytes.length + 1))),
  ),
  fc.tuple(fc.nat(), fc.nat(8)).map(
    ([place, length]): Damage =>
      (bytes) => {
        const at = place % (bytes.length + 1);
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + length)]);
      },
  ),
);

const corruptDocument: fc.Arbitrary<Buffer> = fc
  .tuple(arbitraryFields.map(documentOf), fc.array(arbitraryDamage, { minLength: 1, maxLength: 4 }))
  .map(([document, damages]) => damages.reduce((bytes, damage) => damage(bytes), document));

/** A document of one element. */
function wrapped(element: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32LE(element.length + 5);
  return Buffer.concat([length, element, Buffer.of(0)]);
}
