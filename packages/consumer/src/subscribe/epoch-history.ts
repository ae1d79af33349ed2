// Which leaders wrote what was read of a partition. After an unclean election, or when the only broker in sync has lost its disk, a log goes on from an earlier place
// with other records: once it is as long as before, only the leaders' epochs tell. https://cwiki.apache.org/confluence/display/KAFKA/KIP-320
import type { EpochEnd } from '@tailwater/runtime';

/** In the order of the offsets, epochs rising. The last one is of the record before the place to read next; empty when nothing is known. */
export type EpochHistory = readonly EpochEnd[];

/** Where to read, and who wrote what is before that, as far as it is known. */
export interface ReadingPoint {
  readonly offset: number;
  readonly epochs: EpochHistory;
}

/** More leaders than a partition has while what was read is on its way to the target. */
const KEPT = 32;

/** Without what is at the offset and behind it. */
export function upTo(history: EpochHistory, offset: number): EpochHistory {
  const before: EpochEnd[] = [];
  for (const { epoch, end } of history) {
    if (offset <= (before.at(-1)?.end ?? 0)) break;
    before.push({ epoch, end: Math.min(end, offset) });
  }
  return before;
}

/** With what was read from the history's end on. */
export function readOn(history: EpochHistory, read: EpochHistory): EpochHistory {
  const all = [...history];
  for (const each of read) {
    if (all.at(-1)?.epoch === each.epoch) all.pop();
    all.push(each);
  }
  return all.slice(-KEPT);
}

/**
 * From where on the leader's log is another than the one that was read, or earlier.
 *
 * @param diverging - of the leader: the last epoch, not above ours, of which it has records, and where that ends there
 */
export function divergence(history: EpochHistory, diverging: EpochEnd): ReadingPoint {
  const common = history.filter(({ epoch }) => epoch <= diverging.epoch);
  const last = common.at(-1);
  // What was read before the history begins may have been written by anybody.
  if (last === undefined) return { offset: 0, epochs: [] };
  const offset = Math.min(last.end, diverging.end);
  return { offset, epochs: upTo(common, offset) };
}
