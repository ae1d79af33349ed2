// The oplog of one small server: read to the entry, and a lost place is noticed (promise F).
import { type Mongo, startMongo, waitFor } from '@tailwater/devstack';
import { TailwaterError } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { type Collection, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { SourceHealth } from '#producer/source/mongo/source-health.js';
import { OplogSource } from '#producer/source/oplog/oplog-source.js';
import { oldestPosition, readOplogWindow } from '#producer/source/oplog/oplog-window.js';
import { keptLog } from './support/kept-log.js';
import { Tail } from './support/tail.js';

let mongo: Mongo | undefined;
let client: MongoClient;
let tail: Tail | undefined;
let oplog: OplogSource;
let log: ReturnType<typeof keptLog>;

beforeAll(async () => {
  // Without the second option a capped oplog is kept back to the last checkpoint of the storage engine, a minute ago.
  mongo = await startMongo({ oplogSizeMb: 1, syncDelaySeconds: 1 });
  client = new MongoClient(mongo.uri);
  log = keptLog();
  oplog = new OplogSource(client, { uri: mongo.uri, access: {} }, new SourceHealth(log.logger), log.logger);
});

afterEach(() => tail?.stop());

afterAll(async () => {
  await client?.close();
  await mongo?.stop();
});

const collection = (name: string): Collection => client.db('shop').collection(name);
const numbers = (first: number, count: number) => Array.from({ length: count }, (_, k) => ({ n: first + k }));
const range = (first: number, count: number) => Array.from({ length: count }, (_, k) => first + k);

/** Waits until the tail has seen so many inserts into the collection, or has failed. */
async function untilSeen(from: Tail, name: string, count: number): Promise<unknown[]> {
  const seen = () => from.valuesOf(`shop.${name}`);
  await waitFor(seen, { until: (values) => values.length >= count || from.failure !== undefined, describe: `${count} inserts` });
  expect(from.failure).toBeUndefined();
  return seen();
}

/** Writes until the oplog begins behind the position. */
async function rollOver(position: Position): Promise<void> {
  const filler = collection('filler');
  await waitFor(
    async () => {
      await filler.insertMany(Array.from({ length: 20 }, () => ({ bytes: Buffer.alloc(20_000, 1) })));
      return (await oldestPosition(client)).compare(position) > 0;
    },
    { describe: 'the oplog to roll over', timeoutMs: 120_000 },
  );
}

describe('OplogSource', () => {
  it('begins behind the position, and goes on from wherever it ended', async () => {
    const start = await oplog.newestPosition();
    await collection('exact').insertMany(numbers(0, 300));
    tail = new Tail(oplog, start);
    expect(await untilSeen(tail, 'exact', 300)).toEqual(range(0, 300));
    const inserts = tail.entries.filter(({ ns, op }) => ns === 'shop.exact' && op === 'i');
    expect(tail.entries.map(({ position }) => position)).not.toContain(start.toString());
    await tail.stop();
    for (const n of [0, 150, 299]) {
      const again = new Tail(oplog, Position.parse(inserts[n]?.position ?? '') as Position);
      await waitFor(() => again.ends.length > 0);
      expect(await untilSeen(again, 'exact', 299 - n)).toEqual(range(n + 1, 299 - n));
      await again.stop();
    }
  });

  it('says where each read ended, and reads on when there is nothing', async () => {
    const sizes: number[] = [];
    tail = new Tail(oplog, await oplog.newestPosition(), ({ entries }) => void sizes.push(entries.length));
    await collection('ends').insertMany(numbers(0, 5));
    await untilSeen(tail, 'ends', 5);
    await waitFor(() => sizes.at(-1) === 0, { describe: 'a read that found nothing' });
    expect(tail.ends.at(-1)?.toString()).toBe(tail.entries.at(-1)?.position);
    expect((await oplog.newestPosition()).compare(tail.ends.at(-1) as Position)).toBeGreaterThanOrEqual(0);
  });

  it('reads entries of several megabytes, and thousands of small ones, in their order', async () => {
    // One write after the other is read: all of them together are more than this oplog holds.
    tail = new Tail(oplog, await oplog.newestPosition());
    for (let n = 0; n < 4; n++) {
      await collection('many').insertOne({ n, bytes: Buffer.alloc(5_000_000, n) });
      await untilSeen(tail, 'many', n + 1);
    }
    for (let n = 0; n < 6; n++) {
      await collection('many').insertMany(numbers(4 + n * 2000, 2000));
      await untilSeen(tail, 'many', 2004 + n * 2000);
    }
    expect(await untilSeen(tail, 'many', 12_004)).toEqual(range(0, 12_004));
  });

  it('goes on when the server has restarted', async () => {
    tail = new Tail(oplog, await oplog.newestPosition());
    await collection('restart').insertMany(numbers(0, 10));
    await untilSeen(tail, 'restart', 10);
    await mongo?.restart();
    await collection('restart').insertMany(numbers(10, 10));
    expect(await untilSeen(tail, 'restart', 20)).toEqual(range(0, 20));
    expect(log.lines.map(({ msg }) => msg)).toContainEqual(expect.stringMatching(/^MongoDB cannot be read, trying again until it can: /));
  });

  it('ends soon when it is told to, also in the middle of waiting', async () => {
    tail = new Tail(oplog, await oplog.newestPosition());
    await waitFor(() => tail?.ends.length);
    await tail.stop();
    expect(tail.failure).toBeUndefined();
  });

  it('notices that the oplog has rolled past the position', async () => {
    const start = await oplog.newestPosition();
    await rollOver(start);
    tail = new Tail(oplog, start);
    const failure = (await waitFor(() => tail?.failure)) as TailwaterError;
    expect(failure).toBeInstanceOf(TailwaterError);
    expect([failure.code, failure.retriable]).toEqual(['TW1106', false]);
    expect(failure.message).toContain(start.toString());
    expect(tail.entries).toEqual([]);
  });

  it('notices that it rolled past the cursor while the batch was being worked on', async () => {
    await collection('slow').insertMany(numbers(0, 3));
    let handled = 0;
    tail = new Tail(oplog, await oplog.newestPosition(), async ({ entries, end }) => {
      if (entries.length > 0 && handled++ === 0) await rollOver(end);
    });
    await waitFor(() => tail?.ends.length);
    await collection('slow').insertMany(numbers(3, 3));
    const failure = (await waitFor(() => tail?.failure, { timeoutMs: 120_000 })) as TailwaterError;
    expect(failure).toMatchObject({ code: 'TW1106' });
  });

  it('notices a position at which nothing was ever written', async () => {
    const { t } = await oplog.newestPosition();
    // Entries of a later second stand behind it.
    await waitFor(async () => {
      await collection('never').insertOne({}, { writeConcern: { w: 'majority' } });
      return (await oplog.newestPosition()).t > t;
    });
    tail = new Tail(oplog, new Position(t, 1_000_000));
    expect(await waitFor(() => tail?.failure)).toMatchObject({ code: 'TW1106' });
  });

  it('waits for a server that has not come to the position yet', async () => {
    const newest = await oplog.newestPosition();
    const before = log.lines.length;
    // No pipeline confirms here that an outage of a test before is over.
    const ahead = new OplogSource(client, { uri: mongo?.uri as string, access: {} }, new SourceHealth(log.logger), log.logger);
    tail = new Tail(ahead, new Position(newest.t + 100_000, 1));
    // The first failure is told at once; the next ones are summed up for a minute.
    await waitFor(() => log.lines.length > before, { describe: 'it to say that it tries again' });
    expect(tail.failure).toBeUndefined();
    expect(tail.ends).toEqual([]);
  });
});

describe('readOplogWindow', () => {
  it('says what the oplog holds, and how much it may', async () => {
    const window = await readOplogWindow(client);
    expect(window.oldest.compare(window.newest)).toBeLessThan(0);
    expect(window.oldest.toString()).toBe((await oldestPosition(client)).toString());
    expect(window.size?.maxBytes).toBe(1024 * 1024);
    expect(window.size?.usedBytes).toBeGreaterThan(0);
  });
});
