import { Position } from '@tailwater/schema';
import { type BSON, Long, Timestamp } from 'bson';
import { describe, expect, it } from 'vitest';
import { ChangeBatch } from '#producer/changes/change-batch.js';
import { tailRows } from '#producer/tail/tail-rows.js';
import { entry, T } from '../support/entries.js';
import { Normalizing } from '../support/normalizing.js';

const insert = (i: number, id: unknown): Buffer => entry({ i, o: { _id: id } });

/** Entries `first` to `first + parts.length - 1`, each with as many inserts of documents that hold `bytes` bytes. */
function transaction(first: number, parts: readonly number[], bytes = 0): Buffer[] {
  let id = 0;
  return parts.map((operations, index) => {
    const o: BSON.Document = {
      applyOps: Array.from({ length: operations }, () => ({
        op: 'i',
        ns: 'shop.orders',
        o: { _id: `${first}-${id++}`, bytes: Buffer.alloc(bytes) },
      })),
    };
    if (index < parts.length - 1) o['partialTxn'] = true;
    const prevOpTime = { ts: index === 0 ? new Timestamp(0n) : new Timestamp({ t: T, i: first + index - 1 }), t: Long.fromNumber(1) };
    return entry({ op: 'c', ns: 'admin.$cmd', o, i: first + index, more: { prevOpTime } });
  });
}

/** What is handed on each time: how many rows, and the position behind them. */
async function portions(...entries: Buffer[]): Promise<[rows: string[], end: string | undefined][]> {
  const { normalizer, chains } = new Normalizing();
  chains.add(entries);
  const rows = new ChangeBatch();
  const batch = { entries, end: new Position(T, 1000), isWhole: true };
  const seen: [string[], string | undefined][] = [];
  for await (const end of tailRows(batch, rows, normalizer, 4 * 1024 * 1024)) {
    seen.push([rows.key.slice(0, rows.length).map((key) => JSON.parse(key) as string), end?.toString()]);
  }
  return seen;
}

describe('tailRows', () => {
  it('hands a read on as a whole, with small transactions of several entries in it', async () => {
    const seen = await portions(insert(1, 'a'), ...transaction(2, [2, 1]), insert(4, 'b'), ...transaction(5, [1, 0, 1]));
    expect(seen).toEqual([[['a', '2-0', '2-1', '2-2', 'b', '5-0', '5-1'], `${T}:1000`]]);
  });

  it('hands on what has nothing in it', async () => {
    expect(await portions()).toEqual([[[], `${T}:1000`]]);
    expect(await portions(...transaction(1, [1, 1]).slice(0, 1))).toEqual([[[], `${T}:1000`]]);
  });

  it('hands a long transaction on in portions, with a position only behind its end', async () => {
    const seen = await portions(insert(1, 'a'), ...transaction(2, [1500, 600, 1500, 1500, 10]), insert(7, 'b'));
    expect(seen.map(([rows, end]) => [rows.length, end])).toEqual([
      [2101, undefined],
      [3000, undefined],
      [11, `${T}:1000`],
    ]);
    const ids = seen.flatMap(([rows]) => rows);
    expect(ids).toEqual(['a', ...Array.from({ length: 5110 }, (_, id) => `2-${id}`), 'b']);
  });

  it('holds on to a few entries only, however large they are', async () => {
    const seen = await portions(...transaction(1, [1, 1, 1, 1, 1], 3_000_000));
    expect(seen.map(([rows, end]) => [rows.length, end])).toEqual([
      [2, undefined],
      [2, undefined],
      [1, `${T}:1000`],
    ]);
  });
});
