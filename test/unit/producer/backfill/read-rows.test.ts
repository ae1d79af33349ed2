import { Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import { fillFromDocuments } from '#producer/backfill/read-rows.js';
import type { Chunk } from '#producer/backfill/snapshot/chunk-reader.js';
import { ChangeBatch } from '#producer/changes/change-batch.js';
import { raw, T } from '../support/entries.js';
import { ORDERS } from '../support/rows.js';

const chunkOf = (...documents: Buffer[]): Chunk => ({ documents, position: new Position(T, 7), lastId: undefined });
const windowWith = (...touched: string[]) => ({ namespace: ORDERS, touched: new Set(touched), after: new Position(0, 0), isVoid: false });

describe('fillFromDocuments', () => {
  it('makes rows of the documents at the position of the chunk', () => {
    const batch = new ChangeBatch();
    const document = raw({ _id: { a: 1 }, b: 2 });
    expect(fillFromDocuments(batch, windowWith(), chunkOf(document))).toBe(0);
    expect(batch.length).toBe(1);
    expect([batch.op[0], batch.namespace[0], batch.key[0]]).toEqual(['read', ORDERS, '{"a":1}']);
    expect([batch.t[0], batch.i[0], batch.ordinal[0], batch.wallTimeMs[0], batch.transaction[0]]).toEqual([T, 7, 0, T * 1000, null]);
    expect(batch.document[0]).toBe(document);
    expect(batch.idSource[0]?.subarray(batch.idStart[0], batch.idEnd[0])).toEqual(raw({ a: 1 }));
  });

  it('leaves out those that the tail has touched, and counts them', () => {
    const batch = new ChangeBatch();
    const dropped = fillFromDocuments(
      batch,
      windowWith('1', '"3"'),
      chunkOf(raw({ _id: 1 }), raw({ _id: '1' }), raw({ _id: '3' }), raw({ _id: 4 })),
    );
    expect(dropped).toBe(2);
    expect(batch.key.slice(0, batch.length)).toEqual(['"1"', '4']);
  });

  it('counts a document without an _id', () => {
    const batch = new ChangeBatch();
    expect(fillFromDocuments(batch, windowWith(), chunkOf(raw({ a: 1 })))).toBe(1);
    expect(batch.length).toBe(0);
  });

  it('appends', () => {
    const batch = new ChangeBatch();
    fillFromDocuments(batch, windowWith(), chunkOf(raw({ _id: 1 })));
    fillFromDocuments(batch, windowWith(), chunkOf(raw({ _id: 2 })));
    expect(batch.key.slice(0, batch.length)).toEqual(['1', '2']);
  });
});
