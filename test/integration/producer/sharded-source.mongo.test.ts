// The oplogs of two replica sets, which a third lists as the shards of a cluster, as one source. A real mongos is not at hand.
import { type Mongo, startMongo, waitFor } from '@tailwater/devstack';
import type { Position } from '@tailwater/schema';
import type { Document, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listShards } from '#producer/source/mongo/shards.js';
import { oldestPosition } from '#producer/source/oplog/oplog-window.js';
import { type SeenChange, SourceReader } from '#test/contract/source/support/source-changes.js';

// An idle shard holds the others up until its next no-op, which comes every 10 seconds by default.
const NOOPS = ['--setParameter', 'periodicNoopIntervalSecs=1'];

let sets: Mongo[] = [];
let config: MongoClient;
let shards: [MongoClient, MongoClient];

const addShard = (name: string, set: Mongo) =>
  config
    .db('config')
    .collection<{ _id: string }>('shards')
    .insertOne({ _id: name, host: `${set.replicaSet}/${set.members[0]?.host}`, state: 1 } as Document as { _id: string });

beforeAll(async () => {
  sets = await Promise.all([
    startMongo({ replicaSet: 'first', args: NOOPS, oplogSizeMb: 1, syncDelaySeconds: 1 }),
    startMongo({ replicaSet: 'second', args: NOOPS }),
    startMongo({ replicaSet: 'config', args: NOOPS }),
  ]);
  const [first, second, third] = await Promise.all(sets.map((set) => set.client()));
  shards = [first, second] as [MongoClient, MongoClient];
  config = third as MongoClient;
  await addShard('shard0', sets[0] as Mongo);
  await addShard('shard1', sets[1] as Mongo);
});

afterAll(() => Promise.all(sets.map((set) => set.stop())));

const sharded = () => new SourceReader(config, 'oplog', { shardedUri: (sets[2] as Mongo).uri, include: ['shop.*'] });
const orders = (shard: MongoClient) => shard.db('shop').collection<{ _id: string }>('orders');
const has =
  (...keys: string[]) =>
  ({ changes }: { changes: readonly SeenChange[] }) =>
    keys.every((key) => changes.some((change) => change.key === JSON.stringify(key)));
const positions = (changes: readonly SeenChange[]) => changes.map(({ position }) => position);

describe('ShardedSource', () => {
  it('gives the changes of all shards, each once, in the order of cluster time', async () => {
    const reader = sharded();
    const alone = shards.map((shard) => new SourceReader(shard, 'oplog', { include: ['shop.*'] }));
    const starts = await Promise.all(alone.map(({ source }) => source.newestPosition()));
    const start = await reader.source.newestPosition();
    for (let n = 0; n < 40; n++) {
      await Promise.all(shards.map((shard, index) => orders(shard).insertMany([{ _id: `${index}/${n}/a` }, { _id: `${index}/${n}/b` }])));
    }
    await shards[0].withSession((session) =>
      session.withTransaction(async () => {
        for (let n = 0; n < 20; n++) await orders(shards[0]).updateOne({ _id: `0/${n}/a` }, { $set: { n } }, { session });
      }),
    );
    await Promise.all(shards.map((shard, index) => orders(shard).insertOne({ _id: `end ${index}` })));
    await reader.readUntil(start, has('end 0', 'end 1'));
    for (const [index, one] of alone.entries()) await one.readUntil(starts[index] as Position, has(`end ${index}`));
    const expected = alone.flatMap(({ changes }) => changes);
    expect(new Set(reader.changes.map((change) => JSON.stringify(change)))).toEqual(
      new Set(expected.map((change) => JSON.stringify(change))),
    );
    expect(reader.changes.length).toBe(expected.length);
    const times = reader.changes.map(({ position }) => position.split(':').slice(0, 2).map(Number) as [number, number]);
    expect(times).toEqual([...times].sort(([t1, i1], [t2, i2]) => t1 - t2 || i1 - i2));
    // From wherever a read has ended, the rest follows.
    for (const end of reader.ends.filter((_, index) => index % 3 === 0)) {
      const rest = reader.changes.filter(({ position }) => isBehind(position, end));
      if (rest.length === 0) continue;
      const again = sharded();
      await again.readUntil(end, ({ changes }) => changes.length >= rest.length);
      expect(again.changes).toEqual(rest);
    }
  });

  it('finds the operations of a transaction in the oplog of its shard', async () => {
    const reader = sharded();
    const start = await reader.source.newestPosition();
    await shards[1].withSession((session) =>
      session.withTransaction(async () => {
        for (let n = 0; n < 3; n++) {
          await orders(shards[1]).insertOne({ _id: `large ${n}`, bytes: Buffer.alloc(7_000_000) } as Document as { _id: string }, {
            session,
          });
        }
      }),
    );
    await reader.readUntil(start, has('large 2'));
    expect(reader.changes.map(({ key }) => key)).toEqual(['"large 0"', '"large 1"', '"large 2"']);
    expect(new Set(positions(reader.changes).map((position) => position.split(':').slice(0, 2).join(':'))).size).toBe(1);
  });

  it('says that its place is lost when one shard has lost it', async () => {
    const start = await sharded().source.newestPosition();
    await waitFor(
      async () => {
        const filler = shards[0].db('elsewhere').collection('filler');
        await filler.insertMany(Array.from({ length: 20 }, () => ({ bytes: Buffer.alloc(20_000, 1) })));
        return (await oldestPosition(shards[0])).compare(start) > 0;
      },
      { describe: 'the oplog of one shard to roll over', timeoutMs: 120_000 },
    );
    await expect(sharded().readUntil(start, () => false)).rejects.toMatchObject({ code: 'TW1106' });
  });

  it('notices that a shard was added, and reads it from then on', async () => {
    const added = await startMongo({ replicaSet: 'added', args: NOOPS });
    sets.push(added);
    const reader = sharded();
    // The oplog of the first shard, which has just rolled over, may not go back to the newest position of the other.
    const start = await waitFor(
      async () => {
        const newest = await reader.source.newestPosition();
        return newest.compare(await oldestPosition(shards[0])) >= 0 ? newest : undefined;
      },
      { describe: 'a position that every shard still has' },
    );
    if (start === undefined) throw new TypeError('waitFor gives what it waited for');
    const reading = reader.readUntil(start, () => false);
    await Promise.race([reading, waitFor(() => reader.ends.length > 0)]);
    await addShard('shard2', added);
    // What is written there before anybody has noticed is not lost either.
    await orders(await added.client()).insertOne({ _id: 'of the new one' });
    await expect(reading).rejects.toMatchObject({ code: 'TW1164', retriable: true });
    expect((await listShards(config, 'mongodb://user:secret@a,b/?tls=true')).map(({ uri }) => uri)[2]).toBe(
      `mongodb://user:secret@${added.members[0]?.host}/?tls=true&replicaSet=added`,
    );
    const again = sharded();
    await again.readUntil(reader.ends.at(-1) as Position, has('of the new one'));
    expect(again.changes.map(({ key }) => key)).toEqual(['"of the new one"']);
  });
});

function isBehind(position: string, end: Position): boolean {
  const [t, i] = position.split(':').map(Number) as [number, number];
  return t > end.t || (t === end.t && i > end.i);
}
