// Promise D: the order of positions is the oplog's, however it is asked for.
import { Position } from '@tailwater/schema';
import { Timestamp } from 'bson';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const UINT32_MAX = 0xffff_ffff;
const uint32 = fc.oneof(fc.constantFrom(0, 1, 9, 10, 0x7fff_ffff, 0x8000_0000, UINT32_MAX), fc.nat(UINT32_MAX));
const position = fc.tuple(uint32, uint32, fc.oneof(fc.constant(0), uint32)).map(([t, i, ordinal]) => new Position(t, i, ordinal));
const positions = fc.oneof(
  fc.tuple(position, position),
  fc.tuple(position, uint32).map(([first, ordinal]) => [first, new Position(first.t, first.i, ordinal)] as const),
  fc.tuple(position, uint32).map(([first, i]) => [first, new Position(first.t, i, first.ordinal)] as const),
);

const compareBigints = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
const compareTexts = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

it('gives the same order by comparison, by sortable text and by BSON timestamp', () => {
  fc.assert(
    fc.property(positions, ([a, b]) => {
      const byTimestamp = compareBigints(timestampOf(a), timestampOf(b)) || Math.sign(a.ordinal - b.ordinal);
      expect(Math.sign(a.compare(b))).toBe(byTimestamp);
      expect(compareTexts(a.toSortable(), b.toSortable())).toBe(byTimestamp);
    }),
  );
});

it('has the version of the BSON timestamp, whatever the ordinal', () => {
  fc.assert(
    fc.property(position, (each) => {
      expect(each.version).toBe(timestampOf(each));
    }),
  );
});

it('comes back from its text', () => {
  fc.assert(
    fc.property(position, (each) => {
      expect(Position.parse(each.toString())).toEqual(each);
    }),
  );
});

/** An unsigned 64-bit integer by the `bson` package's own arithmetic. */
const timestampOf = ({ t, i }: Position): bigint => BigInt(new Timestamp({ t, i }).toString());
