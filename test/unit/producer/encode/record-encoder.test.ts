import { confluentHeader, confluentSchemaId, decodeChangeEvent, parseTombstone, partitionOf } from '@tailwater/schema';
import { BSON, Int32 } from 'bson';
import { describe, expect, it } from 'vitest';
import { ChangeBatch, type TrackedNamespace } from '#producer/changes/change-batch.js';
import { type EncodedBatch, type OutgoingRecord, RecordEncoder } from '#producer/encode/record-encoder.js';
import { raw, T } from '../support/entries.js';
import { addRow, ITEMS, ORDERS, type RowOptions } from '../support/rows.js';

const layoutOf = ({ name }: TrackedNamespace) => ({ topic: `tw.${name}`, partitions: name === ORDERS.name ? 8 : 3 });

function batchOf(...rows: RowOptions[]): ChangeBatch {
  const batch = new ChangeBatch();
  for (const row of rows) addRow(batch, row);
  return batch;
}

const encode = (batch: ChangeBatch, encoder = new RecordEncoder(), from = 0, to = batch.length): EncodedBatch =>
  encoder.encode(batch, from, to, 'tail', layoutOf);

const messagesOf = (encoded: EncodedBatch, topic = 'tw.shop.orders'): OutgoingRecord[] =>
  encoded.topics.find((each) => each.topic === topic)?.messages ?? [];

function setUpdate(batch: ChangeBatch, row: number, o: BSON.Document): void {
  batch.idSource[row] = raw(o);
  batch.updateStart[row] = 0;
}

describe('RecordEncoder', () => {
  it('writes key, partition and envelope of each change', () => {
    const document = { _id: 'ä', total: 3 };
    const transaction = { id: 'abc:1', index: 2 };
    const batch = batchOf({ id: 'ä', op: 'replace', document, t: T, i: 4, ordinal: 2, transaction });
    const encoded = new RecordEncoder().encode(batch, 0, 1, 'snapshot', layoutOf);
    const [record] = messagesOf(encoded);
    expect(record?.key.toString()).toBe('"ä"');
    expect(record?.headers).toBeUndefined();
    expect(record?.partition).toBe(partitionOf(Buffer.from('"ä"'), 8));
    const event = decodeChangeEvent(record?.value as Buffer);
    expect(event).toMatchObject({ op: 'replace', origin: 'snapshot', wallTimeMs: T * 1000, transaction, updateDescription: null });
    expect(event.namespace).toEqual({ database: 'shop', collection: 'orders' });
    expect(event.position.toString()).toBe(`${T}:4:2`);
    expect(event.document).toEqual(raw(document));
    expect(encoded).toMatchObject({ records: 1, superseded: 0, bytes: (record?.key.length ?? 0) + (record?.value?.length ?? 0) });
  });

  it('writes what an update changed beside its document', () => {
    const batch = batchOf(
      { id: 1 },
      { op: 'update', id: 2, document: { _id: 2, a: 1 } },
      { op: 'update', id: 3 },
      { op: 'update', id: 4, document: { _id: 4 } },
    );
    for (const row of [1, 2])
      setUpdate(batch, row, { $v: 2, diff: { d: { b: false }, u: { a: 1 }, slist: { a: true, l: new Int32(row) } } });
    setUpdate(batch, 3, { $v: 3, other: {} });
    const events = messagesOf(encode(batch)).map(({ value }) => decodeChangeEvent(value as Buffer));
    expect(events.map(({ updateDescription }) => updateDescription)).toEqual([
      null,
      { updatedFields: raw({ a: 1 }), removedFields: ['b'], truncatedArrays: [{ field: 'list', newSize: 1 }] },
      null,
    ]);
    expect(events[1]?.document).toEqual(raw({ _id: 2, a: 1 }));
  });

  it('has room for many descriptions, and leaves out those that a topic would refuse', () => {
    const document = { _id: 1, bytes: Buffer.alloc(12 * 1024 * 1024) };
    const small = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`field${n}`, n]));
    const rows = Array.from({ length: 40 }, (_, n): RowOptions => ({ op: 'update', id: n, document: n < 2 ? document : { _id: n } }));
    const batch = batchOf(...rows);
    for (let row = 0; row < 40; row++) setUpdate(batch, row, { $v: 2, diff: { [`s${'x'.repeat(500)}`]: { d: small } } });
    setUpdate(batch, 1, { $v: 1, $set: { bytes: Buffer.alloc(8 * 1024 * 1024) } });
    const descriptions = messagesOf(encode(batch)).map(({ value }) => decodeChangeEvent(value as Buffer).updateDescription);
    expect(descriptions.map((description) => description?.removedFields.length)).toEqual([300, undefined, ...Array(38).fill(300)]);
  });

  it('writes a delete as a tombstone with its position', () => {
    const [record] = messagesOf(encode(batchOf({ op: 'delete', id: 7, t: T, i: 9 })));
    expect(record?.key.toString()).toBe('7');
    expect(record?.value).toBeNull();
    expect(parseTombstone(record?.headers)).toMatchObject({ origin: 'tail', wallTimeMs: T * 1000 });
    expect(parseTombstone(record?.headers)?.position.toString()).toBe(`${T}:9`);
  });

  it('leaves out and counts an update whose document is gone', () => {
    const encoded = encode(batchOf({ id: 1 }, { id: 2, op: 'update' }, { id: 2, op: 'delete' }));
    expect(messagesOf(encoded).map(({ key }) => key.toString())).toEqual(['1', '2']);
    expect(encoded).toMatchObject({ records: 2, superseded: 1 });
  });

  it('keeps the records of a key in one partition, in the order of their rows', () => {
    const rows = Array.from({ length: 500 }, (_, n): RowOptions => ({ id: n % 7, i: n + 1, op: n % 11 === 0 ? 'delete' : 'insert' }));
    const partitions = new Map<string, Set<number>>();
    const last = new Map<string, number>();
    for (const { key, partition, value, headers } of messagesOf(encode(batchOf(...rows)))) {
      const name = key.toString();
      partitions.set(name, (partitions.get(name) ?? new Set()).add(partition));
      const i = (value === null ? parseTombstone(headers)?.position.i : decodeChangeEvent(value).position.i) ?? 0;
      expect(i).toBeGreaterThan(last.get(name) ?? 0);
      last.set(name, i);
    }
    expect([...partitions.values()].map(({ size }) => size)).toEqual(Array(7).fill(1));
  });

  it('gives each namespace its topic and its partitions', () => {
    const rows = Array.from({ length: 40 }, (_, n): RowOptions => ({ id: n, namespace: n % 2 === 0 ? ORDERS : ITEMS }));
    const encoded = encode(batchOf(...rows));
    expect(encoded.topics.map(({ topic, messages }) => [topic, messages.length])).toEqual([
      ['tw.shop.orders', 20],
      ['tw.shop.items', 20],
    ]);
    for (const { key, partition } of messagesOf(encoded, 'tw.shop.items')) expect(partition).toBe(partitionOf(key, 3));
  });

  it('encodes the rows that it is asked for', () => {
    const batch = batchOf({ id: 1 }, { id: 2 }, { id: 3 }, { id: 4 });
    expect(messagesOf(encode(batch, undefined, 1, 3)).map(({ key }) => key.toString())).toEqual(['2', '3']);
    expect(encode(batch, undefined, 2, 2)).toMatchObject({ topics: [], records: 0, bytes: 0 });
  });

  it('keeps a result as it is while the next one is encoded, larger buffers or not', () => {
    const encoder = new RecordEncoder();
    const round = (n: number): EncodedBatch =>
      encode(
        batchOf(
          ...Array.from({ length: 3 }, (_, k) => ({ id: `${n}-${k}`, document: { _id: `${n}-${k}`, n, pad: 'x'.repeat(n * 300_000) } })),
        ),
        encoder,
      );
    const bytesOf = (encoded: EncodedBatch) => Buffer.concat(messagesOf(encoded).flatMap(({ key, value }) => [key, value as Buffer]));
    let previous = round(0);
    let copy = bytesOf(previous);
    for (let n = 1; n < 6; n++) {
      const next = round(n);
      expect(bytesOf(previous).equals(copy)).toBe(true);
      [previous, copy] = [next, bytesOf(next)];
    }
  });

  it('grows for documents of any size, beside small ones', () => {
    const encoder = new RecordEncoder();
    const large = { _id: 'large', bytes: Buffer.alloc(15.9 * 1024 * 1024, 7) };
    for (let turn = 0; turn < 3; turn++) {
      const messages = messagesOf(encode(batchOf({ id: 'small' }, { id: 'large', document: large }, { id: 'last' }), encoder));
      expect(messages.map(({ key }) => key.toString())).toEqual(['"small"', '"large"', '"last"']);
      expect(decodeChangeEvent(messages[1]?.value as Buffer).document.equals(BSON.serialize(large))).toBe(true);
      expect(decodeChangeEvent(messages[2]?.value as Buffer).document).toEqual(raw({ _id: 'last' }));
    }
  });

  it('gives the room for large documents back', () => {
    const encoder = new RecordEncoder('avro', 1024 * 1024);
    const roomOf = (bytes: number): number => {
      const [message] = messagesOf(encode(batchOf({ id: 1, document: { _id: 1, bytes: Buffer.alloc(bytes) } }), encoder));
      return message?.key.buffer.byteLength ?? 0;
    };
    expect(roomOf(15 * 1024 * 1024)).toBeGreaterThan(15 * 1024 * 1024);
    for (let turn = 0; turn < 3; turn++) expect(roomOf(10)).toBeLessThanOrEqual(1024 * 1024);
  });

  it('has room for the longest names, keys and transactions around an empty document', () => {
    const namespace = { name: '', database: 'd'.repeat(63), collection: '集'.repeat(64), included: true };
    const id = '\u0800'.repeat(300_000);
    const encoder = new RecordEncoder();
    const rows = Array.from(
      { length: 5 },
      (): RowOptions => ({
        id,
        namespace,
        document: Buffer.of(5, 0, 0, 0, 0),
        t: 0xffff_ffff,
        i: 0xffff_ffff,
        ordinal: 100_000,
        transaction: { id: 'f'.repeat(53), index: 100_000 },
      }),
    );
    const encoded = encoder.encode(batchOf(...rows), 0, 5, 'tail', () => ({ topic: 'x', partitions: 1 }));
    for (const { key, value } of messagesOf(encoded, 'x')) {
      expect(key.toString() === JSON.stringify(id)).toBe(true);
      expect(decodeChangeEvent(value as Buffer)).toMatchObject({
        namespace: { collection: namespace.collection },
        document: Buffer.of(5, 0, 0, 0, 0),
      });
    }
  });
});

describe('other framings', () => {
  it('begin with the header of the topic, where a registry gave it one', () => {
    const header = confluentHeader(7);
    const encoded = new RecordEncoder().encode(batchOf({ id: 1 }, { id: 2, namespace: ITEMS }), 0, 2, 'tail', (namespace) =>
      namespace === ORDERS ? { ...layoutOf(namespace), header } : layoutOf(namespace),
    );
    expect(confluentSchemaId(messagesOf(encoded)[0]?.value as Buffer)).toBe(7);
    expect(confluentSchemaId(messagesOf(encoded, `tw.${ITEMS.name}`)[0]?.value as Buffer)).toBeUndefined();
  });

  it('are JSON, with what an update changed', () => {
    const batch = batchOf({ id: 1 }, { op: 'update', id: 2, document: { _id: 2, a: 1 } }, { op: 'delete', id: 3 });
    setUpdate(batch, 1, { $v: 2, diff: { u: { a: 1 } } });
    const encoded = encode(batch, new RecordEncoder('json'));
    const values = messagesOf(encoded).flatMap(({ value }) => value ?? []);
    expect(values.map((value) => JSON.parse(value.toString()))).toMatchObject([
      { op: 'insert', document: { _id: 1 } },
      { op: 'update', document: { _id: 2, a: 1 }, updateDescription: { updatedFields: { a: 1 } } },
    ]);
    const keys = messagesOf(encoded).reduce((sum, { key }) => sum + key.length, 0);
    expect(encoded).toMatchObject({ records: 3, bytes: keys + values.reduce((sum, { length }) => sum + length, 0) });
  });

  it('give way to Avro for a document that is too large as JSON, and to less for one with a large update', () => {
    const large = { _id: 1, text: '\u0001'.repeat(4_000_000) };
    const [first] = messagesOf(encode(batchOf({ id: 1, document: large }), new RecordEncoder('json')));
    expect(first?.value?.[0]).toBe(0xc3);
    expect(decodeChangeEvent(first?.value as Buffer).document.equals(raw(large))).toBe(true);
    const batch = batchOf({ op: 'update', id: 1, document: { _id: 1, text: 'x'.repeat(9_500_000) } });
    setUpdate(batch, 0, { $v: 2, diff: { u: { text: 'y'.repeat(8_000_000) } } });
    const described = messagesOf(encode(batch, new RecordEncoder('json')))[0]?.value;
    expect(decodeChangeEvent(described as Buffer).updateDescription).not.toBeNull();
    setUpdate(batch, 0, { $v: 2, diff: { u: { text: '\u0001'.repeat(3_000_000) } } });
    const bare = decodeChangeEvent(messagesOf(encode(batch, new RecordEncoder('json')))[0]?.value as Buffer);
    expect(bare).toMatchObject({ op: 'update', updateDescription: null });
  });
});
