// What real servers send is compared with the oplog in test/contract/source; these are events that they rarely send.
import { compileNamespaceRules, createLogger } from '@tailwater/runtime';
import { BSON, Long, Timestamp } from 'bson';
import { beforeEach, describe, expect, it } from 'vitest';
import { ChangeBatch } from '#producer/changes/change-batch.js';
import { NamespaceTable } from '#producer/changes/namespace-table.js';
import { EventNormalizer } from '#producer/source/change-stream/event-normalizer.js';
import { resumeTokenOf } from '#producer/source/change-stream/stream-position.js';
import { NormalizeCounters } from '#producer/source/normalize-counters.js';
import { raw, T } from '#test/unit/producer/support/entries.js';

let rows: ChangeBatch;
let counters: NormalizeCounters;
let normalizer: EventNormalizer;

beforeEach(() => {
  rows = new ChangeBatch();
  counters = new NormalizeCounters();
  const logger = createLogger({ name: 'test', level: 'silent' });
  normalizer = new EventNormalizer(new NamespaceTable(compileNamespaceRules({ include: ['shop.*'] })), counters, logger);
});

const event = (fields: BSON.Document, token = 'unknown', i = 1): Buffer =>
  raw({
    _id: { _data: token },
    operationType: 'insert',
    clusterTime: new Timestamp({ t: T, i }),
    ns: { db: 'shop', coll: 'orders' },
    ...fields,
  });
const insert = (n: number, more: BSON.Document = {}) => event({ documentKey: { _id: n }, fullDocument: { _id: n }, ...more });

describe('EventNormalizer', () => {
  it('counts the operations of an entry where the tokens do not', () => {
    const lsid = { id: new BSON.UUID('0189c9f6-9b2c-7c9e-8d2f-3a5b7c9d1e0f'), uid: new BSON.Binary(Buffer.alloc(32)) };
    const inside = { lsid, txnNumber: Long.fromNumber(7) };
    normalizer.normalize([insert(1, inside), insert(2, inside)], rows);
    normalizer.normalize([insert(3, inside), event({ documentKey: { _id: 4 }, fullDocument: { _id: 4 } }, 'unknown', 2)], rows);
    expect(rows.ordinal.slice(0, 4)).toEqual([0, 1, 2, 0]);
    expect(rows.transaction[2]).toEqual({ id: '0189c9f69b2c7c9e8d2f3a5b7c9d1e0f:7', index: 2 });
    expect(rows.transaction[3]).toBeNull();
    expect(resumeTokenOf(normalizer.positionBehind(rows, 3))).toEqual(raw({ _data: 'unknown' }));
  });

  it('takes the wall time of the position where the server gives none', () => {
    normalizer.normalize([insert(1)], rows);
    expect(rows.wallTimeMs[0]).toBe(T * 1000);
  });

  it('takes the _id behind a shard key', () => {
    normalizer.normalize([event({ operationType: 'delete', documentKey: { region: 'eu', _id: 9 } })], rows);
    expect(rows.key[0]).toBe('9');
  });

  it('leaves open whether a delete that a mongos tells of is that of the last document with its _id', () => {
    const rules = new NamespaceTable(compileNamespaceRules({}));
    const sharded = new EventNormalizer(rules, counters, createLogger({ name: 'test', level: 'silent' }), true);
    sharded.normalize([event({ operationType: 'delete', documentKey: { region: 'eu', _id: 9 } })], rows);
    expect([rows.op[0], rows.key[0]]).toEqual(['leave', '9']);
  });

  it('leaves the document of an update open, unless the event has it', () => {
    const update = { operationType: 'update', documentKey: { _id: 1 }, updateDescription: { updatedFields: {} } };
    normalizer.normalize(
      [event(update), event({ ...update, fullDocument: null }), event({ ...update, fullDocument: { _id: 1, a: 2 } })],
      rows,
    );
    expect(rows.document.slice(0, 3)).toEqual([undefined, undefined, raw({ _id: 1, a: 2 })]);
  });

  it('counts what it does not understand, and filters what is not included', () => {
    normalizer.normalize(
      [
        event({ operationType: 'somethingNew' }),
        event({ operationType: 'insert', fullDocument: { n: 1 } }),
        event({ operationType: 'insert', documentKey: { _id: 1 }, ns: { db: 'crm', coll: 'people' } }),
        event({ operationType: 'invalidate', ns: undefined }),
      ],
      rows,
    );
    expect(rows.length).toBe(0);
    expect([...counters.unknownByKind.keys()]).toEqual(['event somethingNew', 'event insert without _id']);
    expect(counters).toMatchObject({ events: 2, filtered: 2, commands: 1 });
  });

  it('passes on renames by either name', () => {
    const rename = (from: string, to: string) => event({ operationType: 'rename', ns: { db: from, coll: 'a' }, to: { db: to, coll: 'b' } });
    normalizer.normalize([rename('shop', 'crm'), rename('crm', 'shop'), rename('crm', 'crm')], rows);
    expect(rows.commands.map(({ namespace, to }) => [namespace.name, to?.name])).toEqual([
      ['shop.a', 'crm.b'],
      ['crm.a', 'shop.b'],
    ]);
  });
});
