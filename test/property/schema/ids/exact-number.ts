// The exact value of a BSON number as a fraction, and the other ways to write the same value: the reference that the
// record key's texts are held against. It shares no code and no method with them.
import { double, type NumberId } from './id.js';

/** A fraction in lowest terms with a positive denominator, or one of the three values that are none. */
export type Exact = { readonly numerator: bigint; readonly denominator: bigint } | 'NaN' | 'Infinity' | '-Infinity';

const LARGEST_COEFFICIENT = 10n ** 34n - 1n;

export function exactValue(id: NumberId): Exact {
  switch (id.kind) {
    case 'int32':
      return { numerator: BigInt(id.value), denominator: 1n };
    case 'int64':
      return { numerator: id.value, denominator: 1n };
    case 'double':
      return exactDouble(id.bits);
    case 'decimal': {
      // IEEE 754-2008, 3.5.2: a coefficient beyond the 34 digits is zero.
      const coefficient = id.coefficient > LARGEST_COEFFICIENT ? 0n : id.coefficient;
      return fraction(id.negative ? -coefficient : coefficient, 10n, id.exponent);
    }
    case 'decimalBits': {
      const negative = id.high >> 63n === 1n;
      if (((id.high >> 58n) & 31n) === 31n) return 'NaN';
      if (((id.high >> 58n) & 31n) === 30n) return negative ? '-Infinity' : 'Infinity';
      return { numerator: 0n, denominator: 1n };
    }
  }
}

export function sameExact(a: Exact, b: Exact): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  return a.numerator * b.denominator === b.numerator * a.denominator;
}

/** Every way to write the number that this helper knows, equal to it in value. */
export function spellings(id: NumberId): NumberId[] {
  const exact = exactValue(id);
  if (exact === 'NaN')
    return [double(Number.NaN), { kind: 'double', bits: 0xfff8_0000_0000_0001n }, { kind: 'decimalBits', high: 0x7cn << 56n, low: 7n }];
  if (typeof exact === 'string') {
    const negative = exact === '-Infinity';
    return [double(negative ? -Infinity : Infinity), { kind: 'decimalBits', high: (negative ? 0xf8n : 0x78n) << 56n, low: 0n }];
  }
  const candidates: NumberId[] = [id, ...decimals(exact)];
  const { numerator, denominator } = exact;
  const nearest = double(Number(numerator) / Number(denominator));
  if (sameExact(exactValue(nearest), exact)) candidates.push(nearest);
  if (denominator === 1n && BigInt.asIntN(64, numerator) === numerator) candidates.push({ kind: 'int64', value: numerator });
  if (denominator === 1n && BigInt.asIntN(32, numerator) === numerator) candidates.push({ kind: 'int32', value: Number(numerator) });
  if (numerator === 0n) {
    candidates.push(double(-0), { kind: 'decimal', negative: true, coefficient: 0n, exponent: -3 });
    candidates.push({ kind: 'decimal', negative: false, coefficient: LARGEST_COEFFICIENT + 1n, exponent: 0 });
    candidates.push({ kind: 'decimalBits', high: 0x6000_0000_0000_0000n, low: 1n });
  }
  return candidates;
}

function exactDouble(bits: bigint): Exact {
  const negative = bits >> 63n === 1n;
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const mantissa = bits & 0xf_ffff_ffff_ffffn;
  if (exponent === 0x7ff) return mantissa !== 0n ? 'NaN' : negative ? '-Infinity' : 'Infinity';
  const magnitude = exponent === 0 ? mantissa : mantissa | (1n << 52n);
  return fraction(negative ? -magnitude : magnitude, 2n, Math.max(exponent, 1) - 1075);
}

/** factor × base^exponent. */
function fraction(factor: bigint, base: bigint, exponent: number): Exact {
  if (exponent >= 0) return { numerator: factor * base ** BigInt(exponent), denominator: 1n };
  let numerator = factor;
  let places = factor === 0n ? 0 : -exponent;
  for (; places > 0 && numerator % base === 0n; places--) numerator /= base;
  return { numerator, denominator: base ** BigInt(places) };
}

/** The value as Decimal128s, with as many trailing zeros as fit. */
function decimals({ numerator, denominator }: { numerator: bigint; denominator: bigint }): NumberId[] {
  const found: NumberId[] = [];
  const magnitude = numerator < 0n ? -numerator : numerator;
  for (let exponent = 20; exponent >= -60; exponent--) {
    const scaled = exponent < 0 ? magnitude * 10n ** BigInt(-exponent) : magnitude;
    const divisor = exponent < 0 ? denominator : denominator * 10n ** BigInt(exponent);
    const coefficient = scaled / divisor;
    if (coefficient > LARGEST_COEFFICIENT) break;
    if (scaled % divisor === 0n) found.push({ kind: 'decimal', negative: numerator < 0n, coefficient, exponent });
  }
  return found;
}
