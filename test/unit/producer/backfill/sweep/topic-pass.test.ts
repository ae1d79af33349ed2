// Which keys of a topic a sweep asks the source for, and which it hands on.
import { controlKey, decodeChangeEvent, encodeChangeEvent, Position, recordKey } from '@tailwater/schema';
import { BSON } from 'bson';
import { describe, expect, it } from 'vitest';
import type { ScannedRecord } from '#producer/backfill/sweep/kafka-topic-scan.js';
import { TopicPass } from '#producer/backfill/sweep/topic-pass.js';

function value(document: BSON.Document): Buffer {
  return encodeChangeEvent({
    op: 'insert',
    origin: 'tail',
    namespace: { database: 'shop', collection: 'orders' },
    position: new Position(1, 1),
    wallTimeMs: 0,
    transaction: null,
    updateDescription: null,
    document: Buffer.from(BSON.serialize(document)),
  });
}

const keyOf = (id: unknown): string => {
  const document = Buffer.from(BSON.serialize({ _id: id }));
  return recordKey(document, document[4] as number, 9);
};
const alive = (id: unknown): ScannedRecord => ({ key: Buffer.from(keyOf(id)), value: value({ _id: id, n: 1 }) });
const dead = (id: unknown): ScannedRecord => ({ key: Buffer.from(keyOf(id)), value: null });

/** A pass over a source that has these ids, and what was asked for and handed on in each turn. */
function passOver(...ids: unknown[]) {
  const present = new Set(ids.map(keyOf));
  const asked: string[][] = [];
  const buried: string[][] = [];
  const pass = new TopicPass({
    present: async (wanted) => {
      asked.push([...wanted.keys()]);
      return present;
    },
    publishTombstones: async (missing) => void buried.push([...missing.keys()]),
    decode: decodeChangeEvent,
  });
  return { pass, asked, buried };
}

describe('TopicPass', () => {
  it('hands on what is alive in the topic and not in the source', async () => {
    const { pass, asked, buried } = passOver('a');
    await pass.take([alive('a'), alive('b'), alive('a'), alive('c')]);
    await pass.finish();
    expect(asked).toEqual([['"a"', '"b"', '"c"']]);
    expect(buried).toEqual([['"b"', '"c"']]);
  });

  it('leaves out what a later record deletes, before and after the source was asked', async () => {
    const { pass, asked, buried } = passOver();
    await pass.take([alive('first'), dead('first'), ...Array.from({ length: 999 }, (_, n) => alive(n)), dead(5), dead(998)]);
    expect(asked.length).toBe(0);
    await pass.take([alive('last'), alive('more'), dead(7), dead('more'), dead('unknown')]);
    await pass.finish();
    expect(asked.map(({ length }) => length)).toEqual([997, 1].slice(0, asked.length));
    expect(buried.flat()).not.toContain('5');
    expect(buried.flat()).not.toContain('"more"');
    expect(buried.flat()).not.toContain('"first"');
  });

  it('asks by the thousand, and hands on before too much is kept', async () => {
    const { pass, asked, buried } = passOver();
    await pass.take(Array.from({ length: 2500 }, (_, n) => alive(n)));
    await pass.finish();
    expect(asked.map(({ length }) => length)).toEqual([1000, 1000, 500]);
    expect(buried.map(({ length }) => length)).toEqual([1000, 1000, 500]);
  });

  it('asks for few ids at once when they are long', async () => {
    const { pass, asked } = passOver();
    await pass.take(Array.from({ length: 5 }, (_, n) => alive(`${n}${'x'.repeat(200_000)}`)));
    await pass.finish();
    expect(asked.map(({ length }) => length)).toEqual([2, 2, 1]);
  });

  it('steps over control records, and counts what is not ours', async () => {
    const { pass, asked, buried } = passOver();
    await pass.take([
      { key: Buffer.from(controlKey('drop', 'rs0')), value: Buffer.from('{}') },
      { key: null, value: Buffer.from('x') },
      { key: Buffer.from('"a"'), value: Buffer.from('no envelope') },
      { key: Buffer.from('"a"'), value: value({ _id: 'b' }) },
    ]);
    await pass.finish();
    expect([asked, buried, pass.foreign]).toEqual([[], [], 2]);
  });

  it('gives the ids with the types that they have in the documents', async () => {
    const ids: unknown[] = [];
    const pass = new TopicPass({
      present: async () => new Set(),
      publishTombstones: async (missing) => void ids.push(...missing.values()),
      decode: decodeChangeEvent,
    });
    await pass.take([alive(BSON.Long.fromNumber(1)), alive(new BSON.Double(2.5)), alive({ b: 1, a: 'x' })]);
    await pass.finish();
    expect(ids).toEqual([
      BSON.Long.fromNumber(1),
      new BSON.Double(2.5),
      new Map<string, unknown>([
        ['b', new BSON.Int32(1)],
        ['a', 'x'],
      ]),
    ]);
  });
});
