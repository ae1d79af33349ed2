import { createLogger, TailwaterError } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { ChangeBatch, type TrackedNamespace } from '#producer/changes/change-batch.js';
import { RecordEncoder } from '#producer/encode/record-encoder.js';
import { type OnRefused, Quarantine } from '#producer/quarantine/quarantine.js';
import { raw } from '../support/entries.js';
import { addRow, ITEMS, ORDERS } from '../support/rows.js';

/** Topics of which that of the items cannot be. */
function quarantine(onRefused: OnRefused = 'quarantine') {
  const logs: string[] = [];
  const calls: string[][] = [];
  const topics = {
    ensure: async (namespaces: readonly TrackedNamespace[]): Promise<void> => {
      calls.push(namespaces.map(({ name }) => name));
      for (const { name } of namespaces)
        if (name === ITEMS.name) throw new TailwaterError('TW1206', { namespace: name, topic: 't', length: 300, limit: 249 });
    },
    takeUnrecorded: () => [],
    layoutOf: ({ name }: TrackedNamespace) => ({ topic: name, partitions: 2 }),
    existing: async () => ({ topic: 'x', partitions: 2 }),
    ensureLog: async (topic: string): Promise<void> => void logs.push(topic),
  };
  const logger = createLogger({ name: 'test', level: 'silent' });
  return { logs, calls, parts: new Quarantine({ topics, topic: 'tw.producer.dead-letters', onRefused, logger }) };
}

const LARGE = 'x'.repeat(21 * 1024 * 1024);

describe('Quarantine', () => {
  it('writes letters of what no topic takes, and leaves the rest alone', async () => {
    const { parts, logs } = quarantine();
    const batch = new ChangeBatch();
    addRow(batch, { id: 1, document: { _id: 1, n: 1 } });
    addRow(batch, { id: 2, namespace: ITEMS, document: { _id: 2, n: 1 } });
    addRow(batch, { id: 3, document: { _id: 3 } });
    addRow(batch, { id: 4, op: 'delete' });
    batch.key[2] = batch.key[3] = LARGE;
    await parts.ensure([ORDERS, ITEMS]);
    const encoded = new RecordEncoder().encode(batch, 0, 4, 'tail', (namespace) => parts.layoutOf(namespace));
    expect(encoded.topics.map(({ topic, messages }) => [topic, messages.length])).toEqual([[ORDERS.name, 1]]);
    expect(encoded).toMatchObject({ records: 1, superseded: 0, refused: [{ row: 1 }, { row: 2 }, { row: 3 }] });
    const { topic, messages } = await parts.letters(batch, encoded.refused, 'tail');
    expect([topic, logs]).toEqual(['tw.producer.dead-letters', [topic]]);
    const told = messages.map(({ headers, value }) =>
      ['code', 'holds', 'op', 'key'].map((name) => headers?.[`tw-letter-${name}`] ?? value),
    );
    const [place, document, deleted] = [raw({ _id: 2 }), raw({ _id: 3 }), raw({ _id: 4 })];
    expect(told).toEqual([
      ['TW1206', 'id', 'insert', '2'],
      ['TW1291', 'document', 'insert', document],
      ['TW1291', 'id', 'delete', deleted],
    ]);
    expect(messages.map(({ value }) => value)).toEqual([place, document, deleted]);
    expect(new Set(messages.map(({ key }) => key.toString())).size).toBe(3);
    expect(parts.statuses()).toEqual([
      { namespace: ITEMS.name, code: 'TW1206', letters: 1 },
      { namespace: ORDERS.name, code: 'TW1291', letters: 2 },
    ]);
    expect(await parts.existing(ITEMS)).toBeUndefined();
  });

  it('finds the one of hundreds that no topic takes, and has the others made together', async () => {
    const { parts, calls } = quarantine();
    const many = Array.from({ length: 400 }, (_, n): TrackedNamespace => ({ ...ORDERS, name: `shop.c${n}` }));
    await parts.ensure([...many.slice(0, 137), ITEMS, ...many.slice(137)]);
    expect(calls.length).toBeLessThan(2 * Math.log2(401) + 2);
    const made = calls.filter((names) => !names.includes(ITEMS.name)).flat();
    expect(made.sort()).toEqual(many.map(({ name }) => name).sort());
    expect(parts.layoutOf(ITEMS)).toBeUndefined();
  });

  it('stops where that is asked for', async () => {
    const { parts } = quarantine('stop');
    await expect(parts.ensure([ITEMS])).rejects.toMatchObject({ code: 'TW1206' });
    const batch = new ChangeBatch();
    addRow(batch, { id: 1 });
    await expect(parts.letters(batch, [{ row: 0, bytes: 2, limit: 1 }], 'tail')).rejects.toMatchObject({ code: 'TW1291' });
  });
});
