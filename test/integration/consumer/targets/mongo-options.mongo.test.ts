// What the user may ask of a MongoDB target beside a connection string, against a real mongod.
import { type Mongo, startMongo } from '@tailwater/devstack';
import { Position } from '@tailwater/schema';
import { type Document, Long, Timestamp } from 'bson';
import fc from 'fast-check';
import { type Collection, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Change } from '#consumer/changes/change.js';
import { MongoTarget, type MongoTargetOptions } from '#consumer/targets/mongo/mongo.js';
import { change } from '#test/unit/consumer/support/changes.js';
import { raw } from '../support/bson-zoo.js';

let mongo: Mongo;
let client: MongoClient;
const targets: MongoTarget[] = [];
const namespace = { database: 'copy', collection: 'options' };
const never = new AbortController().signal;
const APPLIED = { status: 'applied' };
const SUPERSEDED = { status: 'superseded' };

beforeAll(async () => {
  mongo = await startMongo();
  client = await new MongoClient(mongo.uri, { promoteLongs: false }).connect();
});

beforeEach(async () => {
  await collection().deleteMany({});
});

afterEach(async () => {
  for (const target of targets.splice(0)) await target.close();
});

afterAll(async () => {
  await client?.close();
  await mongo?.stop();
});

const collection = (): Collection<Document & { _id: unknown }> => client.db('copy').collection('options');
const stored = () => collection().find().sort({ _id: 1 }).toArray();

async function connected(options: Partial<MongoTargetOptions>): Promise<MongoTarget> {
  const target = new MongoTarget({ url: mongo.uri, connectTimeoutMs: 5_000, requestTimeoutMs: 30_000, ...options });
  targets.push(target);
  await target.connect(never);
  return target;
}

const upsert = (document: Document, sequence: number): Change => change(document['_id'], sequence, { namespace, document: raw(document) });
const remove = (id: unknown, sequence: number): Change =>
  change(id, sequence, { namespace, kind: 'delete', op: 'delete', document: Buffer.alloc(0) });
const versionOf = (sequence: number): Long => Long.fromBigInt(new Position(1_700_000_000, sequence).version);

describe('with a version field', () => {
  test('a consumer that slept beyond its session cannot write an older state', async () => {
    // Two processes: the partition went from one to the other while the first was frozen with a batch in its hands.
    const [frozen, owner] = [await connected({ versionField: '_tw' }), await connected({ versionField: '_tw' })];
    const before = [upsert({ _id: 1, v: 'old' }, 5), upsert({ _id: 2, v: 'only' }, 6), remove(3, 7), upsert({ _id: 4, $set: 'old' }, 8)];
    const after = [upsert({ _id: 1, v: 'new' }, 10), upsert({ _id: 3, v: 'again' }, 11), upsert({ _id: 4, $set: 'new' }, 12)];
    expect(await owner.applyBatch(after, never)).toEqual([APPLIED, APPLIED, APPLIED]);
    expect(await frozen.applyBatch(before, never)).toEqual([SUPERSEDED, APPLIED, APPLIED, SUPERSEDED]);
    expect(await stored()).toEqual([
      { _id: 1, v: 'new', _tw: versionOf(10) },
      { _id: 2, v: 'only', _tw: versionOf(6) },
      { _id: 3, v: 'again', _tw: versionOf(11) },
      { _id: 4, $set: 'new', _tw: versionOf(12) },
    ]);
  });

  test('the same version is applied again, a newer one and its delete pass, and so do documents written without versions', async () => {
    const [plain, guarded] = [await connected({}), await connected({ versionField: '_tw' })];
    await plain.applyBatch([upsert({ _id: 1, v: 0 }, 9), upsert({ _id: 2, v: 0 }, 9)], never);
    const batch = [upsert({ _id: 1, v: 1 }, 3), remove(2, 3)];
    expect(await guarded.applyBatch(batch, never)).toEqual([APPLIED, APPLIED]);
    expect(await guarded.applyBatch(batch, never)).toEqual([APPLIED, APPLIED]);
    expect(await guarded.applyBatch([upsert({ _id: 1, v: 2, at: new Timestamp({ t: 0, i: 0 }) }, 4)], never)).toEqual([APPLIED]);
    expect(await stored()).toEqual([{ _id: 1, v: 2, at: new Timestamp({ t: 0, i: 0 }), _tw: versionOf(4) }]);
    expect(await guarded.applyBatch([remove(1, 3)], never)).toEqual([APPLIED]);
    expect(await stored()).toHaveLength(1);
    expect(await guarded.applyBatch([remove(1, 5)], never)).toEqual([APPLIED]);
    expect(await stored()).toEqual([]);
  });

  test('many consumers at once leave the newest version of every document', async () => {
    const all = await Promise.all([0, 1, 2, 3].map(() => connected({ versionField: '_tw' })));
    const ids = Array.from({ length: 50 }, (_, id) => id);
    const batches = all.flatMap((target, index) =>
      [0, 4, 8].map(
        (later) => () =>
          target.applyBatch(
            ids.map((_id) => upsert({ _id, v: later + index }, 1 + later + index)),
            never,
          ),
      ),
    );
    const results = (await Promise.all(batches.map((batch) => batch()))).flat();
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect((await stored()).map(({ v }) => v)).toEqual(ids.map(() => 11));
  });

  test('a document that has the field already is refused alone', async () => {
    const target = await connected({ versionField: '_tw' });
    const results = await target.applyBatch([upsert({ _id: 1, _tw: 'mine' }, 1), upsert({ _id: 2 }, 1)], never);
    expect(results).toMatchObject([{ status: 'rejected', code: 'version-field', retriable: false }, APPLIED]);
  });
});

test('property: with versions, any order of any batches, some of them twice, ends in the newest documents', async () => {
  const target = await connected({ versionField: '_tw' });
  const log = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 30 });
  const scenario = log.chain((ids) => {
    const changes = ids.map((_id, sequence) => upsert({ _id, sequence }, sequence + 1));
    const shuffled = fc.shuffledSubarray([...changes, ...changes], { minLength: changes.length * 2 });
    return fc.tuple(fc.constant(ids), shuffled, fc.integer({ min: 1, max: 8 }));
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ([ids, shuffled, batchSize]) => {
      await collection().deleteMany({});
      for (let from = 0; from < shuffled.length; from += batchSize) {
        const batch = shuffled.slice(from, from + batchSize).sort((one, other) => one.offset - other.offset);
        // The caller never puts a key into a batch twice: its last change counts.
        const results = await target.applyBatch([...new Map(batch.map((each) => [each.key, each])).values()], never);
        expect(results.filter(({ status }) => status === 'rejected')).toEqual([]);
      }
      const newest = [...new Set(ids)]
        .sort()
        .map((_id) => ({ _id, sequence: ids.lastIndexOf(_id), _tw: versionOf(ids.lastIndexOf(_id) + 1) }));
      expect(await stored()).toEqual(newest);
    }),
    { numRuns: 20 },
  );
});

describe('with a shard key', () => {
  test('documents are found by it, and one whose shard key changed is there once', async () => {
    const target = await connected({ shardKeys: new Map([['copy.options', ['region', 'customer.id']]]) });
    const write = (region: unknown, sequence: number) =>
      target.applyBatch([upsert({ _id: 1, region, customer: { id: 7 } }, sequence), upsert({ _id: 2 }, sequence)], never);
    expect(await write('eu', 1)).toEqual([APPLIED, APPLIED]);
    expect(await write('eu', 2)).toEqual([APPLIED, APPLIED]);
    expect(await write({ name: 'us' }, 3)).toEqual([APPLIED, APPLIED]);
    expect(await stored()).toEqual([{ _id: 1, region: { name: 'us' }, customer: { id: 7 } }, { _id: 2 }]);
    expect(await target.applyBatch([remove(1, 4)], never)).toEqual([APPLIED]);
    expect(await stored()).toEqual([{ _id: 2 }]);
  });
});

test('a write concern that the members cannot meet is tried again, not taken for done', async () => {
  const target = await connected({ writeConcern: 3 });
  await expect(target.applyBatch([upsert({ _id: 1 }, 1)], never)).rejects.toMatchObject({ code: 'TW1310', retriable: true });
  const one = await connected({ writeConcern: 1 });
  expect(await one.applyBatch([upsert({ _id: 1 }, 1)], never)).toEqual([APPLIED]);
});
