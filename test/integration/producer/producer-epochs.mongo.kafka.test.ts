// What raises the epoch of a producer, so that Kafka takes nothing more of it, and is no other producer: a transaction that took too long,
// and a request of a session that gave up long ago. Neither is told as a take-over, and both cost a new session and nothing else.
import { compareByKey, type KafkaCluster, type Mongo, readRawDocuments, startKafkaCluster, startMongo, waitFor } from '@tailwater/devstack';
import { createKafka } from '@tailwater/runtime';
import type { MongoClient } from 'mongodb';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KafkaTransactionSender } from '#producer/publish/kafka-transaction-sender.js';
import { GateProxy } from '#test/support/gate-proxy.js';
import { foldTopic } from './support/folded-topic.js';
import { keptLog } from './support/kept-log.js';
import { RunningPipeline } from './support/running-pipeline.js';

/** Below what is asked for first. */
const TIMEOUT_MS = 1000;
/** The beginning of an EndTxn request of version 1. */
const END_TXN = Buffer.from([0, 26, 0, 1]);
/** The end of the InitProducerId request that the broker takes. */
const INIT_PRODUCER_ID = Buffer.from([...Buffer.from('rs0'), 0, 0, TIMEOUT_MS >> 8, TIMEOUT_MS & 0xff]);

let mongo: Mongo;
let kafka: KafkaCluster<GateProxy>;
let client: MongoClient;
let pipeline: RunningPipeline | undefined;

beforeAll(async () => {
  [mongo, kafka] = await Promise.all([
    startMongo(),
    startKafkaCluster({
      brokers: 1,
      proxy: GateProxy.start,
      // Below what is asked for first; and looked after at once, not every ten seconds.
      properties: {
        'transaction.max.timeout.ms': TIMEOUT_MS,
        'transaction.abort.timed.out.transaction.cleanup.interval.ms': 100,
        'group.initial.rebalance.delay.ms': 0,
      },
    }),
  ]);
  client = await mongo.client();
});

afterEach(() => pipeline?.stop());

afterAll(async () => {
  await kafka?.stop();
  await mongo?.stop();
});

const proxy = (): GateProxy => kafka.proxies[0] as GateProxy;
/** Past the proxy. */
const direct = (): { brokers: string[] } => ({ brokers: [`127.0.0.1:${kafka.port}`] });
const orders = () => client.db('shop').collection<{ _id: number }>('orders');
/** Ids and contents, by their bytes: a document that is lost beside one that stayed would give the right count. */
async function expectEqual(prefix: string): Promise<void> {
  const stored = await readRawDocuments(client, 'shop', 'orders');
  const { documents } = await foldTopic(direct().brokers, `${prefix}.shop.orders`);
  const differences = compareByKey(stored, documents, (one, other) => one.equals(other));
  expect(differences).toEqual({ compared: stored.size, missing: [], extra: [], different: [] });
}
const isTold = (running: RunningPipeline): boolean =>
  running.log.some(({ err }) => (err as { code?: string } | undefined)?.code === 'TW1220');
const has = (running: RunningPipeline, words: string): boolean => running.log.some(({ msg }) => msg.includes(words));

describe('a transaction that took longer than Kafka allows', () => {
  it('is told as what it is, and its records come again', async () => {
    await orders().insertOne({ _id: -1 });
    const running = await RunningPipeline.start(mongo, kafka, { prefix: 'late', include: ['shop.*'] });
    pipeline = running;
    await running.untilInStep();
    // Held for longer than the broker keeps a transaction open; it may be late, and then commits.
    for (let n = 0; !isTold(running); n++) {
      proxy().close(END_TXN);
      await orders().insertOne({ _id: n });
      await waitFor(() => proxy().isHolding, { describe: 'a commit to be on its way' });
      const since = performance.now();
      await waitFor(() => performance.now() - since > TIMEOUT_MS * 1.5, { describe: 'the transaction to be too old' });
      proxy().release();
      await running.untilReadAll();
    }
    await running.untilInStep();
    expect(has(running, 'Another producer took over')).toBe(false);
    await running.stop();
    await expectEqual('late');
  });
});

describe('a session that gave up while it claimed its id', () => {
  it('asks nothing more of Kafka, and what comes late of it costs its successor a new session', async () => {
    const id = `gate.producer.${(await client.db('admin').command({ hello: 1 }))['setName']}`;
    const log = keptLog();
    const gave = new AbortController();
    const frozen = createKafka({ brokers: kafka.brokers, clientId: 'test' }, log.logger);
    proxy().close(INIT_PRODUCER_ID);
    const claiming = KafkaTransactionSender.connect(frozen, id, { signal: gave.signal });
    claiming.catch(() => {});
    await waitFor(() => proxy().isHolding, { describe: 'the claim to be on its way' });
    gave.abort(new Error('It gives up'));
    await expect(claiming).rejects.toThrow('It gives up');
    const running = await RunningPipeline.start(mongo, direct(), { prefix: 'gate', include: ['shop.*'] });
    pipeline = running;
    await running.untilInStep();
    proxy().release();
    await waitFor(
      async () => {
        await orders().updateOne({ _id: -1 }, { $inc: { n: 1 } } as never);
        return isTold(running);
      },
      { describe: 'the late claim to be noticed', intervalMs: 100 },
    );
    await running.untilInStep();
    expect(has(running, 'Another producer took over')).toBe(false);
    expect(running.log.filter(({ err }) => err !== undefined)).toHaveLength(1);
    await running.stop();
    await expectEqual('gate');
  });
});
