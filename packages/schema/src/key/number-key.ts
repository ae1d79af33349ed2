// One text for each number that MongoDB tells apart: int 1, long 1, double 1.0 and decimal 1.00 are one `_id`, while
// double 0.1 and decimal 0.1 are two, because MongoDB compares numbers of different types by their exact values.
import { Decimal128 } from 'bson';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:E([+-]?\d+))?$/;

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

/** The key text of the 16 bytes of a Decimal128: that of an equal integer or double where there is one, else its normalized digits. */
export function decimalKey(bytes: Uint8Array): string {
  const text = new Decimal128(Uint8Array.from(bytes)).toString();
  const match = DECIMAL.exec(text);
  if (match === null) return doubleKey(Number(text));
  const fraction = match[3] ?? '';
  let coefficient = BigInt(`${match[2]}${fraction}`);
  if (coefficient === 0n) return '0';
  let exponent = Number(match[4] ?? 0) - fraction.length;
  for (; coefficient % 10n === 0n; exponent++) coefficient /= 10n;
  if (match[1] === '-') coefficient = -coefficient;
  if (exponent >= 0 && exponent < 19) {
    const integer = coefficient * 10n ** BigInt(exponent);
    if (integer >= INT64_MIN && integer <= INT64_MAX) return integer.toString();
  }
  const nearest = Number(text);
  if (Number.isFinite(nearest) && nearest !== 0 && isExactly(nearest, coefficient, exponent)) return doubleKey(nearest);
  return `{"$numberDecimal":"${coefficient}E${exponent}"}`;
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
