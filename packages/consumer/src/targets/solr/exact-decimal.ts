// Numbers that are given as decimal text, from Decimal128 and from strings, as what a numeric field gives back: the same number, or none.

export type NumericKind = 'int' | 'long' | 'float' | 'double';

/** JSON's numbers without leading zeros and plus signs: `007` and `+4` name something, they do not count it. */
const NUMBER = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d{1,5}))?$/;
const INT_MAX = 2n ** 31n - 1n;
const LONG_MAX = 2n ** 63n - 1n;
/** No integer of 64 bits has more. */
const LONG_DIGITS = 19;

/** The text of the number for a field of this kind; undefined when the field would give back another one, or the text is no number. */
export function exactNumber(text: string, kind: NumericKind): string | undefined {
  const parts = partsOf(text);
  if (parts === undefined) return undefined;
  if (kind === 'int' || kind === 'long') {
    const { sign, digits, exponent } = parts;
    if (exponent < 0 || digits.length + exponent > LONG_DIGITS) return undefined;
    const integer = BigInt(`${sign}${digits}${'0'.repeat(exponent)}`);
    return isInteger(integer, kind) ? String(integer) : undefined;
  }
  const value = Number(text);
  const back = partsOf(String(value));
  const isSame = back !== undefined && back.sign === parts.sign && back.digits === parts.digits && back.exponent === parts.exponent;
  return isSame && (kind === 'double' || fitsFloat(value)) ? String(value) : undefined;
}

export function isInteger(value: bigint, kind: 'int' | 'long'): boolean {
  const max = kind === 'int' ? INT_MAX : LONG_MAX;
  return value <= max && value >= -max - 1n;
}

/** Whether a field of 32 bits gives the number back: `19.99` yes, `16777217` no. What it holds is not that number; what it says is. */
export function fitsFloat(value: number): boolean {
  const held = Math.fround(value);
  if (held === value) return true;
  // The shortest decimal that stands for the 32 bits is what Solr says.
  for (let digits = 6; digits <= 9; digits++) {
    const said = Number(held.toPrecision(digits));
    if (Math.fround(said) === held) return said === value;
  }
  return false;
}

/** Sign, digits without zeros at either end, and power of ten: equal for equal numbers. Zero has one digit and no sign. */
function partsOf(text: string): { readonly sign: string; readonly digits: string; readonly exponent: number } | undefined {
  const [, sign = '', whole = '', fraction = '', power = '0'] = NUMBER.exec(text) ?? [];
  if (whole === '') return undefined;
  const all = (whole + fraction).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  if (digits === '') return { sign: '', digits: '0', exponent: 0 };
  return { sign, digits, exponent: Number(power) - fraction.length + all.length - digits.length };
}
