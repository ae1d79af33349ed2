// What a running producer is asked for through its topic of signals, and what survives that it is not running just then.
import {
  compareByKey,
  type Differences,
  type Kafka,
  LiveMix,
  type Mongo,
  mixedFields,
  mixedId,
  Random,
  readRawDocuments,
  startStack,
  waitFor,
} from '@tailwater/devstack';
import { createKafka, type KafkaClient } from '@tailwater/runtime';
import { signalsTopicName } from '@tailwater/schema';
import type { Collection, Document, MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeSignal } from '#producer/signals/kafka-signal-topic.js';
import type { SignalBody } from '#producer/signals/signal.js';
import { newestMajorityPosition } from '#producer/source/oplog/oplog-window.js';
import { runCommand } from '#test/support/run-command.js';
import { everyId } from './support/every-id.js';
import { type FoldedTopic, foldTopic } from './support/folded-topic.js';
import { keptLog } from './support/kept-log.js';
import { type RunningOptions, RunningPipeline } from './support/running-pipeline.js';

let mongo: Mongo;
let kafka: Kafka;
let stop: (() => Promise<void>) | undefined;
let client: MongoClient;
let sending: KafkaClient;
let tests = 0;
const pipelines: RunningPipeline[] = [];

beforeAll(async () => {
  const stack = await startStack({ mongo: { oplogSizeMb: 200 }, kafka: {} });
  ({ mongo, kafka } = stack);
  stop = () => stack.stop();
  client = await mongo.client();
  sending = createKafka({ brokers: kafka.brokers, clientId: 'test' }, keptLog().logger);
});

beforeEach(async () => {
  tests += 1;
  await client.db('shop').dropDatabase();
});

afterEach(async () => {
  await Promise.all(pipelines.splice(0).map((pipeline) => pipeline.stop()));
});

afterAll(() => stop?.());

const prefix = (): string => `g${tests}`;
const orders = (): Collection => client.db('shop').collection('orders');

async function start(options: Partial<RunningOptions> = {}): Promise<RunningPipeline> {
  const pipeline = await RunningPipeline.start(mongo, kafka, { prefix: prefix(), include: ['shop.*'], ...options });
  pipelines.push(pipeline);
  return pipeline;
}

let signals = 0;
const ask = (body: SignalBody): Promise<void> =>
  writeSignal(sending, signalsTopicName(prefix()), { ...body, id: `signal-${++signals}`, askedAtMs: Date.now() });

const fold = (): Promise<FoldedTopic> => foldTopic(kafka.brokers, `${prefix()}.shop.orders`);

async function expectEqual(): Promise<FoldedTopic> {
  const folded = await fold();
  const stored = await readRawDocuments(client, 'shop', 'orders');
  const differences: Differences = compareByKey(stored, folded.documents, (one, other) => one.equals(other));
  expect(differences).toEqual({ compared: differences.compared, missing: [], extra: [], different: [] });
  return folded;
}

const has = (pipeline: RunningPipeline, msg: string): boolean => pipeline.log.some((line) => line.msg === msg);
const insert = (count: number, from = 0): Promise<unknown> =>
  orders().insertMany(Array.from({ length: count }, (_, n) => ({ _id: from + n, n })) as never[]);
const keysBy = ({ events }: FoldedTopic, origin: string): string[] =>
  events.filter((event) => event.origin === origin).map(({ key }) => key);

/** The tail alone: a paused snapshot is not in step, and is not meant to be. */
async function untilTailed(pipeline: RunningPipeline): Promise<void> {
  const newest = await newestMajorityPosition(client);
  await waitFor(() => (pipeline.state.session?.position?.compare(newest) ?? -1) >= 0, { describe: 'the tail to be in step' });
}

describe('signals', () => {
  it('snapshot: copies a collection again under writes, while the tail goes on', async () => {
    const random = new Random(3);
    const documents = Array.from({ length: 1200 }, (_, n) => ({ _id: mixedId(random, n), ...mixedFields(random, 200) }));
    await orders().insertMany(documents as unknown as Document[]);
    const pipeline = await start({ chunkDocuments: 50 });
    await pipeline.untilInStep();
    const mix = new LiveMix([orders()], random, 1_000_000, { documentBytes: 200 });
    await mix.adopt(500);
    await ask({ kind: 'snapshot', namespace: 'shop.orders' });
    await mix.step(50);
    await waitFor(() => pipeline.report.totals().state === 'running', { describe: 'the copy to begin' });
    await mix.step(50);
    // In the middle of it: the copy goes on behind what it has, and the signal is not repeated.
    await pipeline.stop();
    const again = await start({ chunkDocuments: 50 });
    await mix.step(50);
    await again.untilInStep();
    await again.stop();
    const folded = await expectEqual();
    const copied = keysBy(folded, 'snapshot').length;
    expect(copied).toBeGreaterThan(2000);
    expect(copied).toBeLessThan(2600);
    expect(pipelines.flatMap(({ log }) => log).filter(({ msg }) => msg === 'Signal received').length).toBe(1);
  });

  it('refresh: publishes documents as they are, and tombstones for those that are not there', async () => {
    // JavaScript's objects, and so Extended JSON's, put fields first whose names look like integers.
    const ids = everyId().filter((id) => !(id instanceof Map));
    await orders().insertMany(ids.map((_id) => ({ _id, n: 1 })) as Document[], { forceServerObjectId: true });
    const pipeline = await start();
    await pipeline.untilInStep();
    await ask({ kind: 'refresh', namespace: 'shop.orders', ids: [...ids, 'absent', { absent: 1 }] });
    await waitFor(() => has(pipeline, 'Documents were refreshed'), { describe: 'the refresh' });
    expect(pipeline.log.find(({ msg }) => msg === 'Documents were refreshed')).toMatchObject({ present: ids.length, absent: 2 });
    await pipeline.stop();
    const folded = await expectEqual();
    expect(keysBy(folded, 'refresh').length).toBe(ids.length);
    expect(folded.tombstones.map(({ key, origin }) => [key, origin]).sort()).toEqual([
      ['"absent"', 'refresh'],
      ['{"absent":1}', 'refresh'],
    ]);
  });

  it('refresh: is never older than what the tail publishes meanwhile', async () => {
    await insert(50);
    const pipeline = await start();
    await pipeline.untilInStep();
    const ids = Array.from({ length: 50 }, (_, n) => n);
    let isOver = false;
    const writing = (async () => {
      for (let n = 0; !isOver; n++) {
        const _id = (n % 50) as never;
        if (n % 3 === 0) await orders().deleteOne({ _id });
        else await orders().replaceOne({ _id }, { n }, { upsert: true });
      }
    })();
    for (let n = 0; n < 4; n++) await ask({ kind: 'refresh', namespace: 'shop.orders', ids });
    const refreshed = (): number => pipeline.log.filter(({ msg }) => msg === 'Documents were refreshed').length;
    await waitFor(() => refreshed() === 4, { describe: 'four refreshes' });
    isOver = true;
    await writing;
    await pipeline.untilInStep();
    await pipeline.stop();
    // The fold refuses versions that go back.
    expect(keysBy(await expectEqual(), 'refresh').length).toBeGreaterThan(0);
  });

  it('reconcile: leaves in the topic what the collection has', async () => {
    await insert(60);
    const pipeline = await start();
    await pipeline.untilInStep();
    await pipeline.stop();
    // What nobody saw: deletes and changes outside the oplog's view are made by a producer that reads none of it.
    await orders().deleteMany({ _id: { $lt: 20 as never } });
    await orders().updateMany({}, { $set: { changed: true } });
    const blind = await RunningPipeline.start(mongo, kafka, { prefix: prefix(), include: ['other.*'] });
    pipelines.push(blind);
    await untilTailed(blind);
    await blind.stop();
    const again = await start();
    await again.untilInStep();
    await ask({ kind: 'reconcile', namespace: 'shop.orders' });
    await waitFor(() => has(again, 'Signal received'), { describe: 'the signal' });
    await again.untilInStep();
    await again.stop();
    const folded = await expectEqual();
    expect(folded.tombstones.filter(({ origin }) => origin === 'sweep').length).toBe(20);
    expect(folded.documents.size).toBe(40);
  });

  it('pause and resume: of copies, and of the tail where that is asked for, over restarts', async () => {
    await insert(10);
    const first = await start();
    await first.untilInStep();
    await ask({ kind: 'pause', tail: false });
    await waitFor(() => first.state.session?.paused?.snapshots === true, { describe: 'the pause' });
    await ask({ kind: 'snapshot', namespace: 'shop.orders' });
    await waitFor(() => first.report.totals().state === 'running', { describe: 'the copy to wait' });
    await insert(5, 100);
    await untilTailed(first);
    expect(first.report.totals()).toMatchObject({ state: 'running', documents: 0 });
    await first.stop();
    const second = await start();
    await waitFor(() => second.state.session?.paused?.snapshots === true, { describe: 'the pause of before' });
    await ask({ kind: 'pause', tail: true });
    await waitFor(() => second.state.session?.paused?.tail === true, { describe: 'the pause of the tail' });
    const position = second.state.session?.position;
    await insert(5, 200);
    // A refresh waits for a tail that stands still, and the resume behind it is heard all the same.
    await ask({ kind: 'refresh', namespace: 'shop.orders', ids: [200, 7] });
    await waitFor(() => second.log.filter(({ msg }) => msg === 'Signal received').length === 2, { describe: 'the refresh to begin' });
    expect(second.state.session?.position?.compare(position as never)).toBeLessThanOrEqual(1);
    expect(keysBy(await fold(), 'tail').filter((key) => key.startsWith('2')).length).toBe(0);
    await second.stop();
    const third = await start();
    await waitFor(() => third.state.session?.paused?.tail === true, { describe: 'the pause of before' });
    await ask({ kind: 'resume' });
    await third.untilInStep();
    await waitFor(() => has(third, 'Documents were refreshed'), { describe: 'the refresh of before' });
    await waitFor(() => third.log.filter(({ msg }) => msg === 'Signal received').length === 2, { describe: 'the resume' });
    expect(third.state.session?.paused).toEqual({ snapshots: false, tail: false });
    await third.stop();
    const folded = await expectEqual();
    // The two that were refreshed may have been left out of the copy.
    expect(keysBy(folded, 'snapshot').length).toBeGreaterThanOrEqual(10 + 18);
    // 200 was inserted behind the pause: the tail had it by then.
    expect(keysBy(folded, 'refresh')).toContain('7');
  });

  it('are what the commands write, which say what is wrong with a name or an id', async () => {
    const run = (...args: string[]) =>
      runCommand('producer', [...args, '--kafka', kafka.brokers.join(','), '--prefix', prefix()], { TAILWATER_MONGO: mongo.uri });
    await orders().insertMany([{ _id: 42 }, { _id: '42' }, { _id: 'plain text' }] as never[]);
    expect((await run('pause')).stderr).toContain('TW1146');
    const pipeline = await start();
    await pipeline.untilInStep();
    const mistakes = [
      ['TW1140', 'snapshot', '--namespace', 'orders'],
      ['TW1141', 'snapshot', '--namespace', 'shop.ordres'],
      ['TW1141', 'reconcile', '--namespace', 'shop.ordres'],
      ['TW1142', 'refresh', '--namespace', 'shop.orders', '--id', '{"$oid": 1'],
      ['TW1147', 'refresh', '--namespace', 'shop.orders', '--id', '1', '--exclude', 'shop.orders'],
    ] as const;
    const refused = await Promise.all(mistakes.map(([, ...args]) => run(...args)));
    for (const [n, { code, stderr }] of refused.entries()) {
      expect(stderr).toContain(mistakes[n]?.[0]);
      expect(code).not.toBe(0);
    }
    const done = (signal: string): boolean => pipeline.log.some((line) => line['signal'] === signal && line.msg === 'Signal received');
    for (const [signal, ...args] of [
      ['pause', 'pause', '--tail'],
      ['refresh', 'refresh', '--namespace', 'shop.orders', '--id', '42', '--id', '"42"', '--id', 'plain text', '--id', '{"a":1,"b":2}'],
      ['reconcile', 'reconcile', '--namespace', 'shop.orders'],
      ['snapshot', 'snapshot', '--namespace', 'shop.orders'],
      ['resume', 'resume'],
    ] as const) {
      const { code, stdout } = await run(...args);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Asked the producer for .*\(signal [0-9a-f-]{36}\)\.\nIf it runs/);
      if (signal !== 'pause') continue;
      await waitFor(() => pipeline.state.session?.paused?.tail === true, { describe: 'the pause' });
      expect((await run('status')).stdout).toContain('copies and the tail, until `producer resume`');
    }
    await waitFor(() => done('resume'), { describe: 'the last of them' });
    await pipeline.untilInStep();
    await pipeline.stop();
    const folded = await expectEqual();
    expect(folded.tombstones.map(({ key }) => key)).toEqual(['{"a":1,"b":2}']);
    expect(new Set(keysBy(folded, 'refresh'))).toEqual(new Set(['42', '"42"', '"plain text"']));
  });

  it('passes over what it does not understand or must not do, once', async () => {
    await insert(1);
    const pipeline = await start();
    await pipeline.untilInStep();
    await ask({ kind: 'snapshot', namespace: 'other.orders' });
    await ask({ kind: 'dance' } as unknown as SignalBody);
    await ask({ kind: 'refresh', namespace: 'shop.orders', ids: [0] });
    await waitFor(() => has(pipeline, 'Documents were refreshed'), { describe: 'the signal behind them' });
    expect(pipeline.log.filter(({ msg }) => msg === 'A signal was ignored').length).toBe(2);
    await pipeline.stop();
    const again = await start();
    await ask({ kind: 'refresh', namespace: 'shop.orders', ids: [0] });
    await waitFor(() => has(again, 'Documents were refreshed'), { describe: 'the next signal' });
    expect(again.log.filter(({ msg }) => msg === 'A signal was ignored').length).toBe(0);
    await again.stop();
    await expectEqual();
  });
});
