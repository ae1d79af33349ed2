import { type ChangeEvent, controlKey, encodeChangeEvent, Position, tombstoneHeaders } from '@tailwater/schema';
import { BSON } from 'bson';
import { describe, expect, test } from 'vitest';
import { decodeRecord, UndecodableRecordError } from '#consumer/decode/decode-record.js';
import { ORDERS } from '../support/changes.js';

const SOURCE = { topic: 'tw.shop.orders', partition: 3, namespace: ORDERS };
const POSITION = new Position(1_700_000_000, 5, 2);
const event: ChangeEvent = {
  op: 'update',
  origin: 'tail',
  namespace: ORDERS,
  position: POSITION,
  wallTimeMs: 1_700_000_000_123,
  transaction: null,
  updateDescription: null,
  document: Buffer.from(BSON.serialize({ _id: 1, a: 'b' })),
};

describe('decodeRecord', () => {
  test('a value is an upsert of its document', () => {
    const record = { key: Buffer.from('1'), value: encodeChangeEvent(event), offset: '42' };
    expect(decodeRecord(record, SOURCE)).toEqual({
      kind: 'upsert',
      key: '1',
      namespace: ORDERS,
      document: event.document,
      position: POSITION,
      origin: 'tail',
      op: 'update',
      wallTimeMs: 1_700_000_000_123,
      topic: 'tw.shop.orders',
      partition: 3,
      offset: 42,
    });
  });

  test('no value, and the headers of a tombstone, are a delete', () => {
    const headers = tombstoneHeaders({ position: POSITION, origin: 'sweep', wallTimeMs: 7 });
    const decoded = decodeRecord({ key: Buffer.from('"a"'), value: null, headers, offset: '1' }, SOURCE);
    expect(decoded).toMatchObject({ kind: 'delete', key: '"a"', op: 'delete', origin: 'sweep', position: POSITION });
  });

  test('a control record is nothing, with a value or without', () => {
    const key = Buffer.from(controlKey('gap', 'rs0'));
    expect(decodeRecord({ key, value: Buffer.from('{}'), offset: '1' }, SOURCE)).toBeUndefined();
    expect(decodeRecord({ key, value: null, offset: '1' }, SOURCE)).toBeUndefined();
  });

  test.each([
    ['no key', { key: null, value: encodeChangeEvent(event) }],
    ['an empty key', { key: Buffer.alloc(0), value: encodeChangeEvent(event) }],
    ['a key that is no JSON', { key: Buffer.from('abc'), value: encodeChangeEvent(event) }],
    ['half a key', { key: Buffer.from('"abc\\'), value: encodeChangeEvent(event) }],
    ['a key that is not UTF-8', { key: Buffer.from([0x22, 0xff, 0x22]), value: encodeChangeEvent(event) }],
    ['neither value nor headers', { key: Buffer.from('1'), value: null }],
    ['a value of something else', { key: Buffer.from('1'), value: Buffer.from('{"op":"insert"}') }],
    ['half a value', { key: Buffer.from('1'), value: encodeChangeEvent(event).subarray(0, 40) }],
    ['a document that is not BSON', { key: Buffer.from('1'), value: encodeChangeEvent({ ...event, document: Buffer.from('hello') }) }],
  ])('a record with %s is refused', (_, record) => {
    expect(() => decodeRecord({ ...record, offset: '1' }, SOURCE)).toThrow(UndecodableRecordError);
  });
});
