// ISO 8601 text of a BSON date, without a Date object: https://howardhinnant.github.io/date_algorithms.html#civil_from_days
import type { JsonBuffer } from './json-buffer.js';

const MS_PER_DAY = 86_400_000;
/** -9999-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: what a four-digit year can say. */
const FIRST_MS = -377_705_116_800_000;
const LAST_MS = 253_402_300_799_999;
const QUOTE = 0x22;
const DASH = 0x2d;
const COLON = 0x3a;

/** Whether a four-digit year can say these milliseconds since the epoch. */
export function hasFourDigitYear(ms: number): boolean {
  return ms >= FIRST_MS && ms <= LAST_MS;
}

/** Writes `"YYYY-MM-DDTHH:MM:SS.mmmZ"`, with a minus before years that need one, for milliseconds since the epoch. */
export function writeIsoDate(out: JsonBuffer, ms: number): void {
  const days = Math.floor(ms / MS_PER_DAY);
  const msOfDay = ms - days * MS_PER_DAY;
  // Days are counted from 0000-03-01, so that the leap day ends a year; an era is 400 years, 146,097 days.
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  const signedYear = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  const year = Math.abs(signedYear);
  const secondOfDay = Math.floor(msOfDay / 1000);

  out.ensure(27);
  out.byte(QUOTE);
  if (signedYear < 0) out.byte(DASH);
  out.padded(year, 4);
  out.byte(DASH);
  out.padded(month, 2);
  out.byte(DASH);
  out.padded(day, 2);
  out.byte(0x54);
  out.padded(Math.floor(secondOfDay / 3600), 2);
  out.byte(COLON);
  out.padded(Math.floor(secondOfDay / 60) % 60, 2);
  out.byte(COLON);
  out.padded(secondOfDay % 60, 2);
  out.byte(0x2e);
  out.padded(msOfDay % 1000, 3);
  out.byte(0x5a);
  out.byte(QUOTE);
}
