import { describe, expect, it } from 'vitest';
import { batchSize, writeBatch } from '#producer/publish/record-batch.js';
import { committedRecords } from '#runtime/kafka/committed-batches.js';

const HEADER = { timestampMs: 1_700_000_000_000, producerEpoch: 0, firstSequence: 0 };
const CONTROL = 0x20;

/** A batch of transactional records with these keys, as a broker keeps it. */
function batch(offset: bigint, producerId: bigint, keys: readonly string[], headers?: Record<string, string>): Buffer {
  const records = keys.map((key) => ({
    key: Buffer.from(key),
    value: key === 'gone' ? null : Buffer.from(`of ${key}`),
    partition: 0,
    ...(headers && { headers }),
  }));
  const out = Buffer.alloc(batchSize(records));
  writeBatch(out, 0, records, { ...HEADER, producerId, transactional: true });
  out.writeBigInt64BE(offset, 0);
  return out;
}

/** The marker of a transaction's end. */
function marker(offset: bigint, producerId: bigint, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  const records = [{ key, value: Buffer.alloc(6), partition: 0 }];
  const out = Buffer.alloc(batchSize(records));
  writeBatch(out, 0, records, { ...HEADER, producerId, transactional: true });
  out.writeBigInt64BE(offset, 0);
  out.writeInt16BE(out.readInt16BE(21) | CONTROL, 21);
  return out;
}

/** What compaction leaves of a batch none of whose records it keeps: `keys` of them were in it. */
function emptied(offset: bigint, producerId: bigint, keys: number): Buffer {
  const whole = batch(
    offset,
    producerId,
    Array.from({ length: keys }, (_, n) => `k${n}`),
  );
  const out = whole.subarray(0, 61);
  out.writeInt32BE(61 - 12, 8);
  out.writeInt32BE(0, 57);
  return out;
}

const keysOf = async (bytes: Buffer, from: bigint, aborted: { producerId: bigint; firstOffset: bigint }[] = []) => {
  const { records, next } = await committedRecords(bytes, from, aborted);
  return [records.map(({ key, offset }) => `${offset}:${key}`), next];
};

describe('committedRecords', () => {
  it('reads what was written, field by field', async () => {
    const { records } = await committedRecords(batch(5n, 1n, ['a', 'gone'], { 'tw-op': 'delete', other: 'ü'.repeat(200) }), 0n, []);
    expect(records).toEqual([
      expect.objectContaining({ offset: '5', key: Buffer.from('a'), value: Buffer.from('of a'), timestamp: '1700000000000' }),
      expect.objectContaining({ offset: '6', key: Buffer.from('gone'), value: null }),
    ]);
    expect(records[0]?.headers).toEqual({ 'tw-op': Buffer.from('delete'), other: Buffer.from('ü'.repeat(200)) });
  });

  it('leaves out what lies before the offset that was asked for, and what was aborted, and no more', async () => {
    const bytes = Buffer.concat([
      batch(10n, 1n, ['a', 'b']),
      batch(12n, 2n, ['c']),
      marker(13n, 2n, 'commit'),
      batch(14n, 2n, ['d']),
      marker(15n, 1n, 'abort'),
      batch(16n, 1n, ['e']),
      marker(17n, 1n, 'commit'),
      marker(18n, 2n, 'commit'),
    ]);
    expect(await keysOf(bytes, 11n)).toEqual([['11:b', '12:c', '14:d', '16:e'], 19n]);
    expect(await keysOf(bytes, 0n, [{ producerId: 1n, firstOffset: 10n }])).toEqual([['12:c', '14:d', '16:e'], 19n]);
    // One that begins and ends behind another of the same producer.
    const twice = [10n, 16n].map((firstOffset) => ({ producerId: 1n, firstOffset }));
    expect(await keysOf(bytes.subarray(0, -marker(18n, 2n, 'commit').length), 0n, twice)).toEqual([['12:c', '14:d'], 18n]);
  });

  it('leaves out transactions of several producers that were aborted in another order than they began', async () => {
    const bytes = Buffer.concat([
      batch(10n, 1n, ['a']),
      batch(11n, 2n, ['b']),
      marker(12n, 2n, 'abort'),
      batch(13n, 2n, ['c']),
      marker(14n, 1n, 'abort'),
      marker(15n, 2n, 'commit'),
    ]);
    const asTheyEnded = [
      { producerId: 2n, firstOffset: 11n },
      { producerId: 1n, firstOffset: 10n },
    ];
    expect(await keysOf(bytes, 0n, asTheyEnded)).toEqual([['13:c'], 16n]);
  });

  it('comes past batches that compaction has emptied, also at the very end', async () => {
    expect(await keysOf(Buffer.concat([batch(0n, 1n, ['a']), emptied(5n, 1n, 3)]), 0n)).toEqual([['0:a'], 8n]);
    expect(await keysOf(emptied(5n, 1n, 3), 5n)).toEqual([[], 8n]);
  });

  it('stops before a batch that was cut off, wherever it was', async () => {
    const bytes = Buffer.concat([batch(0n, 1n, ['a']), batch(1n, 1n, ['b'])]);
    for (let cut = 1; cut < batch(1n, 1n, ['b']).length; cut++) expect(await keysOf(bytes.subarray(0, -cut), 0n)).toEqual([['0:a'], 1n]);
    expect(await keysOf(Buffer.alloc(0), 7n)).toEqual([[], 7n]);
  });
});
