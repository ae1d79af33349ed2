// Dates that a year of four digits cannot say, as ISO 8601 extends it and Solr reads it: `+275760-09-13T00:00:00.000Z`.

/** The Gregorian calendar repeats after so many years. */
const CYCLE_YEARS = 400n;
const CYCLE_MS = 146_097n * 86_400_000n;

/** The text of any BSON date, given as milliseconds since the epoch. */
export function farDate(ms: bigint): string {
  const cycles = floorDivide(ms, CYCLE_MS);
  const [yearInCycle, rest] = splitYear(new Date(Number(ms - cycles * CYCLE_MS)).toISOString());
  const year = BigInt(yearInCycle) + cycles * CYCLE_YEARS;
  const digits = String(year < 0n ? -year : year).padStart(4, '0');
  return `${year < 0n ? '-' : year > 9_999n ? '+' : ''}${digits}${rest}`;
}

function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

/** Within one cycle after 1970 a year has four digits. */
const splitYear = (iso: string): [string, string] => [iso.slice(0, 4), iso.slice(4)];
