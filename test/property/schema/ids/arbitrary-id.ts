// Arbitrary ids of every type, and pairs of them that are often equal in another spelling or different by a hair:
// two independent ids are almost never equal, so they alone would prove little.
import fc from 'fast-check';
import { exactValue, spellings } from './exact-number.js';
import { type Bytes, double, type Fields, type Id, isNumber, type NumberId } from './id.js';

const bytes = (minLength: number, maxLength: number): fc.Arbitrary<Bytes> =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));

/** Texts that are easily mistaken for something else, any Unicode, and bytes that are not UTF-8. */
const text: fc.Arbitrary<Bytes> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom('', 'a', 'b', '1', '$oid', '$$oid', '$', '\ufffd', '{"$oid":"a"}', 'é').map((s) => Buffer.from(s)),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 12 }).map((s) => Buffer.from(s)) },
  { weight: 1, arbitrary: fc.constantFrom('ff', 'fe', 'c3', 'eda080', '61ff', 'efbfbd').map((hex) => Buffer.from(hex, 'hex')) },
);
/** A BSON name ends at its first zero byte. */
const cString: fc.Arbitrary<Bytes> = text.map((value) => value.filter((byte) => byte !== 0) as Buffer).map((value) => Buffer.from(value));

const EDGES = [
  0n,
  1n,
  -1n,
  2n,
  10n,
  2n ** 31n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  -(2n ** 63n),
  10n ** 18n,
  10n ** 19n,
  10n ** 21n,
];
const edge = fc.constantFrom(...EDGES);

export const arbitraryNumber: fc.Arbitrary<NumberId> = fc.oneof(
  fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer()).map((value): NumberId => ({ kind: 'int32', value })),
  fc
    .oneof(
      edge.map((value) => BigInt.asIntN(64, value)),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    )
    .map((value): NumberId => ({ kind: 'int64', value })),
  fc
    .oneof(
      fc.integer({ min: -40, max: 40 }).map((n) => n / 8),
      edge.map(Number),
      fc.double(),
    )
    .map((value): NumberId => double(value)),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((bits): NumberId => ({ kind: 'double', bits })),
  fc
    .record({
      negative: fc.boolean(),
      coefficient: fc.oneof(
        fc.bigInt({ min: 0n, max: 60n }),
        edge.map((value) => (value < 0n ? -value : value)),
        fc.bigInt({ min: 0n, max: 10n ** 34n - 1n }),
        fc.bigInt({ min: 10n ** 34n - 2n, max: 10n ** 34n + 1n }),
      ),
      exponent: fc.oneof(fc.integer({ min: -4, max: 4 }), fc.integer({ min: -340, max: 310 }), fc.integer({ min: -6176, max: 6111 })),
    })
    .map((decimal): NumberId => ({ kind: 'decimal', ...decimal })),
  fc
    .constantFrom(0x7cn, 0x7en, 0xfcn, 0x78n, 0xf8n, 0x60n, 0xe0n)
    .map((top): NumberId => ({ kind: 'decimalBits', high: top << 56n, low: 1n })),
);

const configOption: fc.Arbitrary<Id> = fc.oneof(
  { weight: 6, arbitrary: arbitraryNumber },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('string' as const, 'symbol' as const), text }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('code' as const), text }) },
  fc.record({ kind: fc.constant('binary' as const), subType: fc.oneof(fc.constantFrom(0, 2, 3, 4, 128), fc.nat(255)), bytes: bytes(0, 6) }),
  fc.record({ kind: fc.constant('objectId' as const), bytes: bytes(12, 12) }),
  fc.record({ kind: fc.constant('boolean' as const), value: fc.boolean() }),
  fc.record({
    kind: fc.constant('date' as const),
    ms: fc.oneof(
      fc.constantFrom(0n, -1n, 1000n, 253_402_300_799_999n, 253_402_300_800_000n, 8_640_000_000_000_001n, -(2n ** 63n), 2n ** 63n - 1n),
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.bigInt({ min: 0n, max: 2_000_000_000_000n }),
    ),
  }),
  fc.record({ kind: fc.constant('timestamp' as const), t: fc.nat(0xffff_ffff), i: fc.nat(0xffff_ffff) }),
  fc.record({ kind: fc.constant('regex' as const), pattern: cString, options: fc.constantFrom('', 'i', 'im').map((s) => Buffer.from(s)) }),
  fc.record({ kind: fc.constant('dbPointer' as const), namespace: text, id: bytes(12, 12) }),
  fc.record({ kind: fc.constantFrom('null' as const, 'undefined' as const, 'minKey' as const, 'maxKey' as const) }),
);

const { id } = fc.letrec<{ id: Id; fields: Fields }>((tie) => ({
  id: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: configOption },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('object' as const), fields: tie('fields') }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('array' as const), items: fc.array(tie('id'), { maxLength: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('codeWithScope' as const), code: text, scope: tie('fields') }) },
  ),
  fields: fc.array(fc.tuple(cString, tie('id')), { maxLength: 3 }),
}));

/** An id of any type, nested ones included. */
export const arbitraryId: fc.Arbitrary<Id> = id;

/** Fields of a document, in their order; a name may come twice. */
export const arbitraryFields: fc.Arbitrary<Fields> = fc.array(fc.tuple(cString, arbitraryId), { maxLength: 6 });

/** Two ids: unrelated, or the second the first one rewritten, with and without a small difference. */
export const arbitraryIdPair: fc.Arbitrary<readonly [Id, Id]> = fc.oneof(
  fc.tuple(arbitraryNumber, arbitraryNumber),
  fc.tuple(arbitraryId, arbitraryId),
  fc
    .tuple(arbitraryId, fc.array(fc.nat(97), { maxLength: 8 }))
    .map(([first, choices]) => [first, rewrite(first, chooser(choices), false)] as const),
  fc
    .tuple(arbitraryId, fc.array(fc.nat(97), { maxLength: 8 }))
    .map(([first, choices]) => [first, rewrite(first, chooser(choices), true)] as const),
);

/** The next choice below `options`; 0, "as it was", when the choices are used up. */
type Chooser = (options: number) => number;

function chooser(choices: readonly number[]): Chooser {
  let at = 0;
  return (options) => (choices[at++] ?? 0) % options;
}

/** The same id, written as MongoDB still holds it equal, or, with `nudge`, a little differently here and there. */
function rewrite(original: Id, choose: Chooser, nudge: boolean): Id {
  const changed = nudge && choose(3) === 1;
  if (isNumber(original)) {
    const options = spellings(original);
    const spelled = options[choose(options.length)] ?? original;
    return changed ? nudged(spelled) : spelled;
  }
  switch (original.kind) {
    case 'string':
    case 'symbol':
      if (changed) return { kind: 'code', text: original.text };
      return { kind: choose(2) === 0 ? 'string' : 'symbol', text: original.text };
    case 'array':
      if (changed) return { kind: 'object', fields: original.items.map((item, index) => [Buffer.from(String(index)), item]) };
      return { kind: 'array', items: original.items.map((item) => rewrite(item, choose, nudge)) };
    case 'object':
      return { kind: 'object', fields: rewriteFields(original.fields, choose, nudge, changed) };
    case 'codeWithScope':
      return { ...original, scope: rewriteFields(original.scope, choose, nudge, changed) };
    case 'binary':
      return changed ? { ...original, subType: original.subType ^ 1 } : original;
    case 'date':
      return changed ? { ...original, ms: BigInt.asIntN(64, original.ms + 1n) } : original;
    case 'null':
      return changed ? { kind: 'undefined' } : original;
    default:
      return original;
  }
}

function rewriteFields(fields: Fields, choose: Chooser, nudge: boolean, reverse: boolean): Fields {
  const rewritten = fields.map(([name, value]) => [name, rewrite(value, choose, nudge)] as const);
  return reverse ? rewritten.reverse() : rewritten;
}

/** The next number of the same type, or the same as a text. */
function nudged(number: NumberId): Id {
  switch (number.kind) {
    case 'int32':
      return { kind: 'string', text: Buffer.from(String(number.value)) };
    case 'int64':
      return { kind: 'int64', value: BigInt.asIntN(64, number.value + 1n) };
    case 'double':
      return exactValue(number) === 'NaN' ? double(0) : { kind: 'double', bits: BigInt.asUintN(64, number.bits + 1n) };
    case 'decimal':
      return { ...number, coefficient: number.coefficient + 1n };
    default:
      return { ...number, high: number.high ^ (1n << 63n) };
  }
}
