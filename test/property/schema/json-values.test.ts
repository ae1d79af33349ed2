// What a JSON value keeps of a document: everything but the difference between integers of 32 and 64 bits where either would do,
// and bit patterns that stand for the same number.
import {
  bsonToJson,
  decodeChangeEvent,
  encodeJsonEvent,
  InvalidEnvelopeError,
  InvalidJsonError,
  jsonToBson,
  Position,
} from '@tailwater/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arbitraryFields } from './ids/arbitrary-id.js';
import { double, type Fields, type Id } from './ids/id.js';
import { documentOf, encodeValue } from './ids/id-bson.js';

function kept(id: Id): Id {
  switch (id.kind) {
    case 'int64':
      return id.value === BigInt.asIntN(32, id.value) ? { kind: 'int32', value: Number(id.value) } : id;
    case 'double': {
      const value = encodeValue(id).readDoubleLE();
      return Number.isNaN(value) ? double(Number.NaN) : id;
    }
    case 'decimal':
      // More than 34 digits are zero to whoever computes with it.
      return id.coefficient < 10n ** 34n ? id : { ...id, coefficient: 0n };
    case 'decimalBits':
      return canonicalBits(id);
    case 'array':
      return { kind: 'array', items: id.items.map(kept) };
    case 'object':
      return { kind: 'object', fields: keptFields(id.fields) };
    case 'codeWithScope':
      return { ...id, scope: keptFields(id.scope) };
    default:
      return id;
  }
}

/** NaN and Infinity have many bit patterns; a coefficient that is too large is zero. */
function canonicalBits({ high }: Id & { kind: 'decimalBits' }): Id {
  const [negative, combination] = [high >> 63n === 1n, (high >> 58n) & 0x1fn];
  if (combination === 0x1fn) return { kind: 'decimalBits', high: 0x7c00_0000_0000_0000n, low: 0n };
  if (combination === 0x1en) return { kind: 'decimalBits', high: (negative ? 0xf8n : 0x78n) << 56n, low: 0n };
  return { kind: 'decimal', negative, coefficient: 0n, exponent: Number((high >> 47n) & 0x3fffn) - 6176 };
}

const keptFields = (fields: Fields): Fields => fields.map(([name, value]) => [name, kept(value)] as const);

describe('a document', () => {
  it('comes back from JSON with the same fields, types and values in the same order', () => {
    fc.assert(
      fc.property(arbitraryFields, (fields) => {
        const json = bsonToJson(documentOf(fields));
        JSON.parse(json);
        expect(jsonToBson(Buffer.from(json)).toString('hex')).toBe(documentOf(keptFields(fields)).toString('hex'));
      }),
      { numRuns: 3_000 },
    );
  });

  it('is read with white space, escapes and numbers as other programs write them', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const plain = JSON.parse(JSON.stringify({ value }).replaceAll('$', '')) as object;
        const pretty = Buffer.from(JSON.stringify(plain, null, 2));
        expect(JSON.parse(bsonToJson(jsonToBson(pretty)))).toEqual(plain);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('anything else', () => {
  it('is refused, and nothing else happens', () => {
    fc.assert(
      fc.property(arbitraryFields, fc.nat(), fc.nat(255), (fields, at, byte) => {
        const json = Buffer.from(bsonToJson(documentOf(fields)));
        json[at % json.length] = byte;
        try {
          jsonToBson(json);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidJsonError);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});

describe('an event', () => {
  it('comes back with all its fields', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 });
    const event = fc.record({
      op: fc.constantFrom('insert', 'update', 'replace', 'read'),
      origin: fc.constantFrom('tail', 'snapshot', 'sweep', 'refresh'),
      namespace: fc.record({ database: text, collection: text }),
      position: fc
        .tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff), fc.nat(0xffff_ffff))
        .map(([t, i, ordinal]) => new Position(t, i, ordinal)),
      wallTimeMs: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      transaction: fc.option(fc.record({ id: text, index: fc.nat() })),
      updateDescription: fc.option(
        fc.record({
          updatedFields: arbitraryFields.map((fields) => documentOf(keptFields(fields))),
          removedFields: fc.array(text),
          truncatedArrays: fc.array(fc.record({ field: text, newSize: fc.nat() })),
        }),
      ),
      document: arbitraryFields.map((fields) => documentOf(keptFields(fields))),
    } as const);
    fc.assert(
      fc.property(event, (original) => {
        expect(decodeChangeEvent(Buffer.from(encodeJsonEvent(original)))).toEqual(original);
      }),
      { numRuns: 500 },
    );
  });

  it('without its end is refused', () => {
    const event = {
      op: 'insert',
      origin: 'tail',
      namespace: { database: 'shop', collection: 'orders' },
      position: new Position(1, 2),
      wallTimeMs: 3,
      transaction: null,
      updateDescription: null,
      document: documentOf([[Buffer.from('_id'), { kind: 'int32', value: 1 }]]),
    } as const;
    const whole = Buffer.from(encodeJsonEvent(event));
    for (let length = 1; length < whole.length; length++) {
      expect(() => decodeChangeEvent(whole.subarray(0, length)), `${length} bytes`).toThrow(InvalidEnvelopeError);
    }
  });
});
