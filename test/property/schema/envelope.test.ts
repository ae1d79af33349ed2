// Promise C: the document arrives as the bytes that the server wrote, whatever is in it.
import {
  type ChangeEvent,
  decodeChangeEvent,
  encodeChangeEvent,
  InvalidEnvelopeError,
  Position,
  writeChangeEvent,
} from '@tailwater/schema';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arbitraryFields } from './ids/arbitrary-id.js';
import { documentOf } from './ids/id-bson.js';

const text = fc.string({ unit: 'binary', maxLength: 20 });
const document = arbitraryFields.map(documentOf);
const uint32 = fc.nat(0xffff_ffff);
/** As far as a JavaScript number counts reliably; downwards Avro's library stops halfway, some 143,000 years ago. */
const MAX_LONG = Number.MAX_SAFE_INTEGER - 1;

const event: fc.Arbitrary<ChangeEvent> = fc.record({
  op: fc.constantFrom('insert', 'update', 'replace', 'read'),
  origin: fc.constantFrom('tail', 'snapshot', 'sweep', 'refresh'),
  namespace: fc.record({ database: text, collection: text }),
  position: fc.tuple(uint32, uint32, uint32).map(([t, i, ordinal]) => new Position(t, i, ordinal)),
  wallTimeMs: fc.integer({ min: -(2 ** 52), max: MAX_LONG }),
  transaction: fc.option(fc.record({ id: text, index: fc.nat(MAX_LONG) })),
  updateDescription: fc.option(
    fc.record({
      updatedFields: document,
      removedFields: fc.array(text),
      truncatedArrays: fc.array(fc.record({ field: text, newSize: fc.nat(MAX_LONG) })),
    }),
  ),
  document,
});

it('comes back from Avro as it was', () => {
  fc.assert(
    fc.property(event, (original) => {
      const decoded = decodeChangeEvent(encodeChangeEvent(original));
      expect(decoded).toEqual(original);
      expect(decoded.document.equals(original.document)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it('is written anywhere in a larger buffer, or says how far it would have reached', () => {
  fc.assert(
    fc.property(event, fc.nat(100), fc.nat(400), (original, at, room) => {
      const whole = encodeChangeEvent(original);
      const small = Buffer.alloc(at + room, 0xee);
      const end = writeChangeEvent(original, small, at);
      expect(end).toBe(at + whole.length);
      if (end <= small.length) expect(small.subarray(at, end).equals(whole)).toBe(true);
      expect(small.subarray(0, at).every((byte) => byte === 0xee)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it('is refused when its end is missing', () => {
  fc.assert(
    fc.property(event, fc.nat(), (original, place) => {
      const whole = encodeChangeEvent(original);
      const truncated = whole.subarray(0, place % whole.length);
      expect(() => decodeChangeEvent(truncated)).toThrow(InvalidEnvelopeError);
    }),
    { numRuns: 500 },
  );
});
