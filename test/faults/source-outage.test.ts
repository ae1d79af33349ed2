// What a producer says while its MongoDB is away, frozen, or without a majority: the truth, at once, and each thing once (promise H).
import { readFile } from 'node:fs/promises';
import { type PipelineProcess, waitFor } from '@tailwater/devstack';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';
import { readTopic } from '#test/support/read-topic.js';

interface Status {
  readonly phase: string;
  readonly lagSeconds: number | null;
  readonly heldBackSeconds: number;
  readonly source: { readonly answeredSecondsAgo: number; readonly trouble: { readonly reason: string; readonly seconds: number } | null };
}

/** No answer of a status server takes longer, whatever is down; on a machine with other work. */
const AT_ONCE_MS = 1000;
/** The driver looks for a lost server for so long, and a frozen one is silent for ten seconds before that is told. */
const TOLD_MS = 60_000;

let world: PipelineWorld;
let producer: PipelineProcess;
beforeAll(async () => {
  world = await PipelineWorld.start({ source: { members: 3, arbiter: true } });
  await (await world.source.client())
    .db('shop')
    .collection<{ _id: number }>('orders')
    .insertOne({ _id: 0 }, { writeConcern: { w: 1 } });
  producer = await world.producer();
});
afterEach(() => world.source.start());
afterAll(() => world?.[Symbol.asyncDispose]());

async function ask(path: string): Promise<{ code: number; body: { reasons?: string[] } & Partial<Status> }> {
  const began = performance.now();
  const response = await request(`${producer.url}${path}`, { headersTimeout: 10_000 });
  const body = (await response.body.json()) as { reasons?: string[] } & Partial<Status>;
  expect(performance.now() - began).toBeLessThan(AT_ONCE_MS);
  return { code: response.statusCode, body };
}

const messages = async (): Promise<string[]> =>
  (await readFile(producer.logFile, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { msg: string }).msg);
const told = async (text: RegExp): Promise<number> => (await messages()).filter((msg) => text.test(msg)).length;

/** Both are asked all the time, and answer at once each time. */
const untilReady = (isReady: boolean, reason: RegExp = /./) =>
  waitFor(() => Promise.all([ask('/readyz'), ask('/status')]), {
    until: ([{ code, body }]) => (isReady ? code === 200 : code === 503 && reason.test(body.reasons?.join() ?? '')),
    describe: (last) => `the producer to be ${isReady ? 'ready' : `unready: ${reason}`}, not ${JSON.stringify(last)}`,
    timeoutMs: TOLD_MS,
    intervalMs: 200,
  });

async function write(id: number): Promise<void> {
  const orders = (await world.source.client()).db('shop').collection<{ _id: number }>('orders');
  await orders.insertOne({ _id: id }, { writeConcern: { w: 1 } });
}

const published = async (): Promise<string[]> => {
  const records = await readTopic(world.kafka.brokers, `${world.prefix}.shop.orders`);
  return [...new Set(records.map(({ key }) => String(key)))].sort();
};

describe('a producer', () => {
  it.each([
    ['is away', () => world.source.kill9(), () => world.source.start()],
    ['is frozen', () => world.source.pause(), () => world.source.resume()],
  ])('tells once that MongoDB %s, answers at once all the while, and tells once that it is read again', async (what, begin, end) => {
    await untilReady(true);
    const [begun, over] = [await told(/^MongoDB cannot be read/), await told(/^MongoDB is read again, after/)];
    await begin();
    try {
      const [, { body }] = await untilReady(false, /^MongoDB cannot be read: /);
      expect(body.source?.trouble?.reason).toEqual(expect.any(String));
      // Longer than the pauses between the attempts.
      await waitFor(() => ask('/status'), {
        until: ({ body: { lagSeconds, source } }) => lagSeconds === null && (source?.trouble?.seconds ?? 0) >= 15,
        describe: 'the outage to last',
        timeoutMs: TOLD_MS,
        intervalMs: 200,
      });
      // A member that says nothing is away for /readyz a moment before the log tells of it.
      await waitFor(async () => (await told(/^MongoDB cannot be read/)) > begun, { describe: 'the line', timeoutMs: TOLD_MS });
      expect([(await told(/^MongoDB cannot be read/)) - begun, (await told(/^MongoDB is read again, after/)) - over]).toEqual([1, 0]);
    } finally {
      await end();
    }
    await write(what.length);
    await untilReady(true);
    await waitFor(published, { until: (keys) => keys.includes(String(what.length)), describe: 'the write in the topic' });
    expect([(await told(/^MongoDB cannot be read/)) - begun, (await told(/^MongoDB is read again, after/)) - over]).toEqual([1, 1]);
    expect(await told(/^The pipeline (was interrupted|runs again)/)).toBe(0);
  });

  it('tells what a replica set without a majority holds back, and why', async () => {
    await untilReady(true);
    const primary = await world.source.primary();
    const secondary = world.source.members.slice(0, 2).find((member) => member !== primary);
    await secondary?.shutdown();
    await write(1000);
    const [, { body }] = await untilReady(false, /^TW1148 /);
    expect(body.heldBackSeconds).toBeGreaterThanOrEqual(10);
    expect(await published()).not.toContain('1000');
    await waitFor(() => told(/^No majority of the replica set takes over what is written.*is held back$/), { describe: 'the line' });
    await secondary?.start();
    const [, after] = await untilReady(true);
    expect(after.body.heldBackSeconds).toBeLessThan(10);
    await waitFor(published, { until: (keys) => keys.includes('1000'), describe: 'the write in the topic' });
    await waitFor(() => told(/^A majority of the replica set takes over what is written again, after/), { describe: 'the end of it' });
    expect(await told(/^No majority of the replica set/)).toBe(1);
  });
});
