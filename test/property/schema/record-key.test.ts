// Promise B rests on this: one key for one document, as MongoDB itself counts documents.
import { findId, type RawValue, recordKey, recordKeyOf } from '@tailwater/schema';
import { BSON, Decimal128, EJSON, Int32, Long, ObjectId, Timestamp, UUID } from 'bson';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryId, arbitraryIdPair, arbitraryNumber } from './ids/arbitrary-id.js';
import { type Exact, exactValue, sameExact, spellings } from './ids/exact-number.js';
import { double, type Id } from './ids/id.js';
import { documentWithId } from './ids/id-bson.js';
import { equalIds } from './ids/id-equality.js';

function keyOf(id: Id): string {
  const document = documentWithId(id);
  const { type, start } = findId(document) as RawValue;
  return recordKey(document, type, start);
}

describe('record keys', () => {
  it('are the same exactly when MongoDB holds the ids equal', () => {
    fc.assert(
      fc.property(arbitraryIdPair, ([a, b]) => {
        expect(keyOf(a) === keyOf(b), `${keyOf(a)} | ${keyOf(b)}`).toBe(equalIds(a, b));
      }),
      { numRuns: 20_000 },
    );
  });

  it('are one for every way to write a number', () => {
    fc.assert(
      fc.property(arbitraryNumber, (number) => {
        const keys = new Set(spellings(number).map(keyOf));
        expect([...keys]).toHaveLength(1);
      }),
      { numRuns: 3_000 },
    );
  });

  it('are JSON', () => {
    fc.assert(
      fc.property(arbitraryId, (id) => {
        JSON.parse(keyOf(id));
      }),
      { numRuns: 3_000 },
    );
  });

  it('name the exact value of every number', () => {
    fc.assert(
      fc.property(arbitraryNumber, (number) => {
        const key = keyOf(number);
        expect(sameExact(exactNumberIn(key), exactValue(number)), key).toBe(true);
        const decimal = /^\{"\$numberDecimal":"(.+)"\}$/.exec(key)?.[1];
        // Whoever makes an id of the key again finds the same document.
        if (decimal !== undefined) expect(recordKeyOf(Decimal128.fromString(decimal))).toBe(key);
      }),
      { numRuns: 3_000 },
    );
  });
});

/** Reads a number's key back as a client would: digits within 64 bits as a long, other JSON numbers as doubles, wrappers by name. */
function exactNumberIn(key: string): Exact {
  const parsed = JSON.parse(key) as number | { $numberDecimal?: string; $numberDouble?: Exact };
  if (typeof parsed === 'number') {
    const integer = /^-?\d+$/.test(key) ? BigInt(key) : undefined;
    const isLong = integer !== undefined && BigInt.asIntN(64, integer) === integer;
    return isLong ? { numerator: integer, denominator: 1n } : exactValue(double(parsed));
  }
  if (parsed.$numberDecimal === undefined) return parsed.$numberDouble as Exact;
  const [, digits, fraction = '', exponent = '0'] = /^(-?\d+)(?:\.(\d+))?(?:E([+-]\d+))?$/.exec(parsed.$numberDecimal) as RegExpExecArray;
  const power = Number(exponent) - fraction.length;
  const scale = 10n ** BigInt(Math.abs(power));
  const coefficient = BigInt(`${digits}${fraction}`);
  return power < 0 ? { numerator: coefficient, denominator: scale } : { numerator: coefficient * scale, denominator: 1n };
}

describe('ordinary ids', () => {
  const ordinary: fc.Arbitrary<unknown> = fc.oneof(
    fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => new ObjectId(bytes)),
    fc.string({ unit: 'binary' }),
    fc.integer().map((value) => new Int32(value)),
    fc.maxSafeInteger().map((value) => Long.fromNumber(value)),
    fc.double({ noDefaultInfinity: true, noNaN: true, min: -1e15, max: 1e15 }),
    fc.date({ min: new Date(0), max: new Date(253_402_300_799_999), noInvalidDate: true }),
    fc.uuid().map((text) => new UUID(text)),
    fc.uint8Array().map((bytes) => new BSON.Binary(bytes)),
    fc.boolean(),
    fc.constant(null),
    fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff)).map(([t, i]) => new Timestamp({ t, i })),
    // The third digit is neither zero nor reachable by a fraction of powers of two: no integer and no double is equal.
    fc.tuple(fc.nat(1_000_000), fc.constantFrom(1, 3, 7, 9)).map(([whole, last]) => Decimal128.fromString(`${whole}.00${last}`)),
  );
  const nested = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      ordinary,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 5 }).filter(isPlainName), tie('value'), { maxKeys: 3 }),
    ),
  })).value;

  it('give exactly relaxed Extended JSON', () => {
    fc.assert(
      fc.property(nested, (id) => {
        expect(recordKeyOf(id)).toBe(EJSON.stringify(id, { relaxed: true }));
      }),
      { numRuns: 3_000 },
    );
  });
});

const isPlainName = (name: string): boolean => !name.startsWith('$') && !name.includes('\0') && name !== '__proto__';
