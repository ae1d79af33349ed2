// Batches as the producer writes them, with what compaction, transactions and cut-off answers make of them.
import { describe, expect, test } from 'vitest';
import { batchSize, writeBatch } from '#producer/publish/record-batch.js';
import { readBatches, UnreadableBatchError } from '#runtime/kafka/protocol/record-batches.js';

const AT = { attributes: 21, lastOffsetDelta: 23 };
const CONTROL = 0x20;

interface BatchOptions {
  readonly base?: number;
  readonly producerId?: bigint;
  readonly transactional?: boolean;
}

function batch(values: readonly (string | null)[], { base = 0, producerId = 7n, transactional = false }: BatchOptions = {}): Buffer {
  const messages = values.map((value, index) => ({
    partition: 0,
    key: Buffer.from(`k${index}`),
    value: value === null ? null : Buffer.from(value),
    ...(value === null ? { headers: { 'tw-op': 'delete', 'tw-position': '1:1:0' } } : {}),
  }));
  const out = Buffer.alloc(batchSize(messages));
  writeBatch(out, 0, messages, { timestampMs: 1_700_000_000_123, producerId, producerEpoch: 0, firstSequence: 0, transactional });
  out.writeBigInt64BE(BigInt(base), 0);
  return out;
}

/** What ends a transaction: a batch with one record whose key says how. */
function marker(base: number, type: 'commit' | 'abort', producerId = 7n): Buffer {
  const key = Buffer.alloc(4);
  key.writeInt16BE(type === 'abort' ? 0 : 1, 2);
  const messages = [{ partition: 0, key, value: Buffer.alloc(6) }];
  const out = Buffer.alloc(batchSize(messages));
  writeBatch(out, 0, messages, { timestampMs: 1, producerId, producerEpoch: 0, firstSequence: -1, transactional: true });
  out.writeBigInt64BE(BigInt(base), 0);
  out.writeInt16BE(out.readInt16BE(AT.attributes) | CONTROL, AT.attributes);
  return out;
}

const valuesOf = async (buffer: Buffer, from: number, aborted: { producerId: number; firstOffset: number }[] = []) => {
  const { records, next } = await readBatches(buffer, from, aborted);
  return { values: records.map(({ value }) => value && String(value)), offsets: records.map(({ offset }) => Number(offset)), next };
};

describe('readBatches', () => {
  test('keys, values, offsets, times and headers come back', async () => {
    const { records, next } = await readBatches(batch(['a', null], { base: 40 }), 40, []);
    expect(next).toBe(42);
    expect(records.map(({ key, value, offset, timestamp }) => [String(key), value && String(value), offset, timestamp])).toEqual([
      ['k0', 'a', '40', '1700000000123'],
      ['k1', null, '41', '1700000000123'],
    ]);
    expect(Object.entries(records[1]?.headers ?? {}).map(([name, value]) => [name, String(value)])).toEqual([
      ['tw-op', 'delete'],
      ['tw-position', '1:1:0'],
    ]);
  });

  test('a batch that begins before the asked offset gives only what is behind it', async () => {
    expect(await valuesOf(batch(['a', 'b', 'c'], { base: 10 }), 11)).toEqual({ values: ['b', 'c'], offsets: [11, 12], next: 13 });
  });

  test('what compaction has left of a batch ends where the batch ended, and an empty one is stepped over at once', async () => {
    const compacted = batch(['a'], { base: 10 });
    compacted.writeInt32BE(1999, AT.lastOffsetDelta);
    expect(await valuesOf(compacted, 10)).toEqual({ values: ['a'], offsets: [10], next: 2010 });
    const empty = batch([], { base: 2010 });
    empty.writeInt32BE(99, AT.lastOffsetDelta);
    expect(await valuesOf(empty, 2010)).toEqual({ values: [], offsets: [], next: 2110 });
  });

  test('a batch that was cut off comes again, and the whole ones before it count', async () => {
    const two = Buffer.concat([batch(['a'], { base: 0 }), batch(['b'], { base: 1 })]);
    expect(await valuesOf(two.subarray(0, two.length - 1), 0)).toEqual({ values: ['a'], offsets: [0], next: 1 });
    expect(await valuesOf(two.subarray(0, 20), 0)).toEqual({ values: [], offsets: [], next: 0 });
  });

  test('what was aborted is left out, of that producer and no other, up to the marker; markers are no records', async () => {
    const log = Buffer.concat([
      batch(['x1'], { base: 0, producerId: 1n, transactional: true }),
      batch(['y1'], { base: 1, producerId: 2n, transactional: true }),
      marker(2, 'abort', 1n),
      batch(['x2'], { base: 3, producerId: 1n, transactional: true }),
      marker(4, 'commit', 2n),
      marker(5, 'commit', 1n),
      batch(['plain'], { base: 6, producerId: -1n }),
    ]);
    expect(await valuesOf(log, 0, [{ producerId: 1, firstOffset: 0 }])).toEqual({
      values: ['y1', 'x2', 'plain'],
      offsets: [1, 3, 6],
      next: 7,
    });
    // The transaction began before what was asked for.
    expect(await valuesOf(log.subarray(0), 3, [{ producerId: 1, firstOffset: 3 }])).toEqual({ values: ['plain'], offsets: [6], next: 7 });
  });

  test('other bytes are told as such', async () => {
    const other = batch(['a']);
    other.writeInt8(1, 16);
    await expect(readBatches(other, 0, [])).rejects.toThrow(UnreadableBatchError);
    await expect(readBatches(Buffer.alloc(100), 0, [])).rejects.toThrow(UnreadableBatchError);
  });
});
