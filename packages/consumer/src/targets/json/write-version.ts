// The version of a position, `t << 32 | i`, as decimal digits without a BigInt in between: one is written for every document.
import type { Position } from '@tailwater/schema';
import type { JsonBuffer } from './json-buffer.js';

const MILLION = 1_000_000;
/** 2^32 in base one million: every product below stays within 53 bits. */
const [HIGH, LOW] = [4294, 967_296];

/** Writes the digits of `position.version`. */
export function writeVersion(out: JsonBuffer, { t, i }: Pick<Position, 't' | 'i'>): void {
  const tHigh = Math.floor(t / MILLION);
  const tLow = t % MILLION;
  const iHigh = Math.floor(i / MILLION);
  const low = tLow * LOW + (i % MILLION);
  const middle = tLow * HIGH + tHigh * LOW + iHigh + Math.floor(low / MILLION);
  const high = tHigh * HIGH + Math.floor(middle / MILLION);
  out.ensure(24);
  if (high > 0) {
    out.integer(high);
    out.padded(middle % MILLION, 6);
    out.padded(low % MILLION, 6);
  } else if (middle > 0) {
    out.integer(middle);
    out.padded(low % MILLION, 6);
  } else out.integer(low);
}
