// kill -9 of the producer at random moments around its signals: none is lost, whatever line it meets. A refresh and a reconcile
// take effect at least once, a copy exactly once, and the topics end equal to the source. TAILWATER_SEED repeats a run.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { compareByKey, LiveMix, mixedFields, mixedId, Random, readRawDocuments, waitFor } from '@tailwater/devstack';
import { createKafka, type KafkaClient } from '@tailwater/runtime';
import { encodeChangeEvent, Position, partitionOf, signalsTopicName } from '@tailwater/schema';
import { BSON, type Collection, type Document } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeSignal } from '#producer/signals/kafka-signal-topic.js';
import type { SignalBody } from '#producer/signals/signal.js';
import { PipelineWorld } from '#test/support/pipeline-world.js';
import { foldTopic } from '../integration/producer/support/folded-topic.js';
import { keptLog } from '../integration/producer/support/kept-log.js';

const SEED = Number(process.env['TAILWATER_SEED'] ?? 11);
const PARTITIONS = 2;
const DOCUMENTS = 400;
/** One after the other, each asked of a collection of its own. */
const ASKED = ['snapshot', 'reconcile', 'refresh', 'snapshot', 'reconcile', 'refresh'] as const;
const NAMES = ASKED.map((kind, n) => `${kind}${n}`);
/** Of these the tail hears nothing, so what is published of them is the signals' doing. */
const SENTINEL = 'sentinel';
const GHOST = 'ghost';

interface Status {
  readonly snapshot: { readonly totals: { readonly state: string } } | null;
  readonly sweeps: readonly object[];
}

let world: PipelineWorld;
let kafka: KafkaClient;
beforeAll(async () => {
  world = await PipelineWorld.start({});
  kafka = createKafka({ brokers: world.kafka.brokers, clientId: 'test' }, keptLog().logger);
});
afterAll(() => world?.[Symbol.asyncDispose]());

const topicOf = (name: string): string => `${world.prefix}.shop.${name}`;
const ask = (body: SignalBody): Promise<void> =>
  writeSignal(kafka, signalsTopicName(world.prefix), { ...body, id: randomUUID(), askedAtMs: Date.now() });

/** What the topics should hold no longer: a document that vanished while nobody looked. */
async function haunt(names: readonly string[]): Promise<void> {
  const key = Buffer.from(JSON.stringify(GHOST));
  const event = (collection: string): Buffer =>
    encodeChangeEvent({
      op: 'insert',
      origin: 'tail',
      namespace: { database: 'shop', collection },
      position: new Position(1, 1),
      wallTimeMs: 0,
      transaction: null,
      updateDescription: null,
      document: Buffer.from(BSON.serialize({ _id: GHOST })),
    });
  const producer = kafka.producer();
  await producer.connect();
  const partition = partitionOf(key, PARTITIONS);
  const topicMessages = names.map((name) => ({ topic: topicOf(name), messages: [{ key, value: event(name), partition }] }));
  await producer.sendBatch({ topicMessages });
  await producer.disconnect();
}

describe(`a producer that is killed around its signals, seed ${SEED}`, () => {
  it('loses none of them', async () => {
    const random = new Random(SEED);
    const shop = (await world.source.client()).db('shop');
    const collections = NAMES.map((name): Collection => shop.collection(name));
    for (const collection of collections) {
      const documents = Array.from({ length: DOCUMENTS }, (_, n) => ({ _id: mixedId(random, n), ...mixedFields(random, 200) }));
      await collection.insertMany([...documents, { _id: SENTINEL }] as unknown as Document[]);
    }
    const producer = await world.producer('--chunk-documents', '50', '--partitions', String(PARTITIONS));
    const untilIdle = (): Promise<unknown> =>
      waitFor(() => producer.status<Status>().catch(() => undefined), {
        until: (status) => status?.snapshot?.totals.state === 'done' && status.sweeps.length === 0,
        describe: 'copies and sweeps to be done',
      });
    await untilIdle();
    await haunt(NAMES);
    const mix = new LiveMix(collections, random, 1_000_000, { rate: 200 });
    const stop = new AbortController();
    const writing = mix.run(stop.signal);
    for (const [n, kind] of ASKED.entries()) {
      const namespace = `shop.${NAMES[n]}`;
      await ask(kind === 'refresh' ? { kind, namespace, ids: [SENTINEL, GHOST] } : { kind, namespace });
      await sleep(random.below(400));
      await producer.kill9();
      await producer.start();
    }
    stop.abort();
    await writing;
    // Signals are taken in their order: behind the last one, all were.
    await ask({ kind: 'refresh', namespace: `shop.${NAMES[0]}`, ids: ['last'] });
    await waitFor(async () => (await foldTopic(world.kafka.brokers, topicOf(NAMES[0] as string))).tombstones, {
      until: (tombstones) => tombstones.some(({ key, origin }) => origin === 'refresh' && key === '"last"'),
      describe: 'the last signal',
      intervalMs: 500,
    });
    await untilIdle();
    await producer.stop();
    for (const [n, kind] of ASKED.entries()) {
      const { documents, events, tombstones } = await foldTopic(world.kafka.brokers, topicOf(NAMES[n] as string));
      const of = (origin: string, key: string): number =>
        [...events, ...tombstones].filter((each) => each.origin === origin && each.key === JSON.stringify(key)).length;
      // The first copy is every collection's.
      expect(of('snapshot', SENTINEL), `copies of ${NAMES[n]}`).toBe(kind === 'refresh' ? 1 : 2);
      if (kind === 'refresh') expect(of('refresh', SENTINEL), NAMES[n]).toBeGreaterThanOrEqual(1);
      expect(of('refresh', GHOST) + of('sweep', GHOST) > 0, `tombstones of ${NAMES[n]}`).toBe(kind !== 'snapshot');
      const kept = new Map(documents);
      if (kind === 'snapshot') kept.delete(JSON.stringify(GHOST));
      const stored = await readRawDocuments(await world.source.client(), 'shop', NAMES[n] as string);
      const differences = compareByKey(stored, kept, (one, other) => one.equals(other));
      expect(differences).toEqual({ compared: differences.compared, missing: [], extra: [], different: [] });
    }
  });
});
