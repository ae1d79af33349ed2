// Whatever MongoDB answers that time cures, to whatever is asked of it, the producer goes on, and nothing is lost: both sources, lookups,
// copies and sweeps, against the whole table of the server's codes, by the server's own failCommand.
// https://github.com/mongodb/mongo/wiki/The-%22failCommand%22-fail-point
import { compareByKey, type Kafka, type Mongo, readRawDocuments, startStack, waitFor } from '@tailwater/devstack';
import { createKafka, type KafkaClient, PASSING_CODES } from '@tailwater/runtime';
import { signalsTopicName } from '@tailwater/schema';
import type { Collection, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSignal } from '#producer/signals/kafka-signal-topic.js';
import type { SourceKind } from '#producer/source/mongo/connect.js';
import { foldTopic } from './support/folded-topic.js';
import { keptLog } from './support/kept-log.js';
import { RunningPipeline } from './support/running-pipeline.js';

/** Answers that no table knows: NoSuchKey, WindowsPdhError, and two assertions. */
const UNKNOWN_CODES = [4, 179, 28_799, 5_076_600];
/** What reads: the first and the further replies of cursors, and what the drivers and the snapshot ask of aggregations. */
const READS = ['find', 'getMore', 'aggregate'];
const DOCUMENTS = 400;

let mongo: Mongo;
let kafka: Kafka;
let sending: KafkaClient;
let client: MongoClient;
let stop: (() => Promise<void>) | undefined;

beforeAll(async () => {
  const stack = await startStack({ mongo: { args: ['--setParameter', 'enableTestCommands=1'] }, kafka: {} });
  ({ mongo, kafka } = stack);
  stop = () => stack.stop();
  client = await mongo.client();
  sending = createKafka({ brokers: kafka.brokers, clientId: 'test' }, keptLog().logger);
});
afterAll(() => stop?.());

/** Has the next `times` reads of producers fail with the code. */
const fail = (errorCode: number, times: number) =>
  client.db('admin').command({
    configureFailPoint: 'failCommand',
    mode: { times },
    data: { failCommands: READS, errorCode, appName: 'tailwater-producer' },
  });

/** How many reads failed so far. */
async function failed(): Promise<number> {
  const reply = await client.db('admin').command({ getParameter: 1, 'failpoint.failCommand': 1 });
  return Number(reply['failpoint.failCommand'].timesEntered ?? Number.NaN);
}

async function expectEqual(prefix: string, name: string): Promise<void> {
  const folded = await foldTopic(kafka.brokers, `${prefix}.shop.${name}`);
  const differences = compareByKey(await readRawDocuments(client, 'shop', name), folded.documents, (stored, published) =>
    stored.equals(published),
  );
  expect(differences).toEqual({ compared: differences.compared, missing: [], extra: [], different: [] });
}

describe.each<SourceKind>(['oplog', 'change-stream'])('%s', (source) => {
  it('outlasts every answer that time cures', { timeout: 240_000 }, async () => {
    const [prefix, codes] = [`c${source.slice(0, 1)}`, [...PASSING_CODES, ...UNKNOWN_CODES]];
    const database = client.db('shop');
    await database.dropDatabase();
    const [tailed, copied]: Collection<{ _id: number; n: number }>[] = [database.collection('tailed'), database.collection('copied')];
    if (tailed === undefined || copied === undefined) throw new Error('No collections');
    await copied.insertMany(Array.from({ length: DOCUMENTS }, (_, _id) => ({ _id, n: 0 })));
    await tailed.insertOne({ _id: -1, n: 0 });
    const pauses = { minMs: 5, maxMs: 20 };
    const pipeline = await RunningPipeline.start(mongo, kafka, { prefix, include: ['shop.*'], source, chunkDocuments: 40, pauses });
    try {
      await pipeline.untilInStep();
      for (const [n, code] of codes.entries()) {
        // The topic is read and the collection is copied again and again meanwhile, with something to bury each time.
        if (n % 5 === 0) {
          await copied.deleteOne({ _id: n });
          await writeSignal(sending, signalsTopicName(prefix), {
            id: `${prefix}-${n}`,
            askedAtMs: Date.now(),
            kind: 'reconcile',
            namespace: 'shop.copied',
          });
        }
        const before = await failed();
        const times = 1 + (n % 4);
        await fail(code, times);
        await tailed.insertOne({ _id: n, n });
        await tailed.updateOne({ _id: n - 1 }, { $inc: { n: 1000 } });
        const describeIt = (): string => `${times} reads to fail with ${code}; ${String(pipeline.failure)}`;
        await waitFor(async () => pipeline.failure !== undefined || (await failed()) >= before + times, {
          describe: describeIt,
          intervalMs: 10,
        });
        if (pipeline.failure !== undefined) throw pipeline.failure;
      }
      await pipeline.untilInStep();
      await waitFor(() => pipeline.state.phase === 'running' && pipeline.health.trouble === undefined, {
        describe: 'the end of the outage',
      });
      // None of them was worth a new session, but those that no read of a session's beginning repeats.
      expect(pipeline.log.filter(({ msg }) => msg.startsWith('Reading the ')).length).toBeLessThan(codes.length / 4);
    } finally {
      await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' });
      await pipeline.stop();
    }
    await expectEqual(prefix, 'tailed');
    await expectEqual(prefix, 'copied');
  });

  it('goes on when somebody kills its reads, or all sessions', async () => {
    const prefix = `k${source.slice(0, 1)}`;
    const tailed: Collection<{ _id: number }> = client.db('shop').collection('killed');
    await tailed.drop();
    await tailed.insertOne({ _id: -1 });
    const pipeline = await RunningPipeline.start(mongo, kafka, { prefix, include: ['shop.killed'], source });
    try {
      await pipeline.untilInStep();
      for (let n = 0; n < 3; n++) {
        const waiting = await waitFor(() => waitingReads(), { until: (ops) => ops.length > 0, describe: 'a waiting getMore' });
        for (const op of waiting) await client.db('admin').command({ killOp: 1, op });
        await tailed.insertOne({ _id: n });
        await client
          .db('admin')
          .command({ killAllSessions: [] })
          .catch(() => {});
        await tailed.insertOne({ _id: 100 + n });
        await pipeline.untilInStep();
      }
      expect(pipeline.failure).toBeUndefined();
    } finally {
      await pipeline.stop();
    }
    await expectEqual(prefix, 'killed');
  });
});

/** Operations of producers that wait for more to be written. */
async function waitingReads(): Promise<number[]> {
  const match = { appName: 'tailwater-producer', op: 'getmore' };
  const found = await client
    .db('admin')
    .aggregate([{ $currentOp: { allUsers: true, localOps: true } }, { $match: match }])
    .toArray();
  return found.map(({ opid }) => opid as number);
}
