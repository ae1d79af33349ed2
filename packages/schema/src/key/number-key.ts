// One text for each number that MongoDB tells apart: int 1, long 1, double 1.0 and decimal 1.00 are one `_id`, while
// double 0.1 and decimal 0.1 are two, because MongoDB compares numbers of different types by their exact values.

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

const EXPONENT_BIAS = 6176;
const LARGEST_COEFFICIENT = 10n ** 34n - 1n;

/** The key text of a double: JSON's shortest number, integers within 64 bits in full. */
export function doubleKey(value: number): string {
  if (!Number.isFinite(value)) return `{"$numberDouble":"${Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'}"}`;
  if (Number.isSafeInteger(value)) return value === 0 ? '0' : String(value);
  if (Number.isInteger(value)) {
    const exact = BigInt(value);
    if (exact >= INT64_MIN && exact <= INT64_MAX) return exact.toString();
  }
  return String(value);
}

/** A Decimal128 by its value; a special one as a double. */
type DecimalParts = { readonly negative: boolean; readonly coefficient: bigint; readonly exponent: number } | number;

/** Reads the Decimal128 at `start` from its bits, IEEE 754-2008's decimal128 with a binary integer coefficient. */
function decimalParts(source: Buffer, start: number): DecimalParts {
  const high = source.readBigUInt64LE(start + 8);
  const negative = high >> 63n === 1n;
  const combination = (high >> 58n) & 0x1fn;
  if (combination === 0x1fn) return Number.NaN;
  if (combination === 0x1en) return negative ? -Infinity : Infinity;
  // Two set bits here announce a coefficient beyond 34 digits. The standard reads it, and any other that large, as zero.
  if (combination >> 3n === 3n) return { negative, coefficient: 0n, exponent: Number((high >> 47n) & 0x3fffn) - EXPONENT_BIAS };
  const coefficient = ((high & 0x1_ffff_ffff_ffffn) << 64n) | source.readBigUInt64LE(start);
  const exponent = Number((high >> 49n) & 0x3fffn) - EXPONENT_BIAS;
  return { negative, coefficient: coefficient > LARGEST_COEFFICIENT ? 0n : coefficient, exponent };
}

/**
 * The key text of the Decimal128 at `start`: that of an equal integer or double where there is one, else the decimal
 * without trailing zeros.
 */
export function decimalKey(source: Buffer, start: number): string {
  const parts = decimalParts(source, start);
  if (typeof parts === 'number') return doubleKey(parts);
  let { coefficient, exponent } = parts;
  if (coefficient === 0n) return '0';
  for (; coefficient % 10n === 0n; exponent++) coefficient /= 10n;
  const signed = parts.negative ? -coefficient : coefficient;
  if (exponent >= 0 && exponent < 19) {
    const integer = signed * 10n ** BigInt(exponent);
    if (integer >= INT64_MIN && integer <= INT64_MAX) return integer.toString();
  }
  const nearest = Number(`${signed}e${exponent}`);
  if (Number.isFinite(nearest) && nearest !== 0 && isExactly(nearest, signed, exponent)) return doubleKey(nearest);
  return `{"$numberDecimal":"${decimalText(parts.negative, coefficient, exponent)}"}`;
}

/** The Decimal128 at `start` as Extended JSON, with all its digits and zeros. */
export function decimalJson(source: Buffer, start: number): string {
  const parts = decimalParts(source, start);
  const text = typeof parts === 'number' ? String(parts) : decimalText(parts.negative, parts.coefficient, parts.exponent);
  return `{"$numberDecimal":"${text}"}`;
}

/** coefficient × 10^exponent as the Decimal128 specification writes it: in full where that is short, else with an exponent. */
function decimalText(negative: boolean, coefficient: bigint, exponent: number): string {
  const sign = negative ? '-' : '';
  const digits = coefficient.toString();
  const scientific = digits.length - 1 + exponent;
  if (exponent > 0 || scientific < -6) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${sign}${digits[0]}${fraction}E${scientific < 0 ? '' : '+'}${scientific}`;
  }
  if (exponent === 0) return sign + digits;
  const padded = digits.padStart(1 - exponent, '0');
  return `${sign}${padded.slice(0, exponent)}.${padded.slice(exponent)}`;
}

/** Whether the double equals coefficient × 10^exponent exactly. */
function isExactly(value: number, coefficient: bigint, exponent: number): boolean {
  let numerator = value;
  let twos = 0n;
  // Doubling a double is exact until its fraction is gone, and stays far from overflow because fractions are below 2^53.
  for (; !Number.isInteger(numerator); twos++) numerator *= 2;
  const left = BigInt(numerator) * (exponent < 0 ? 10n ** BigInt(-exponent) : 1n);
  const right = coefficient * (exponent > 0 ? 10n ** BigInt(exponent) : 1n) * 2n ** twos;
  return left === right;
}
