// An application writes to MongoDB, waits until the write is applied, and reads it from the target: whatever was said to be applied is there, while producers and
// consumers are killed.
import { type PipelineProcess, Random, waitFor } from '@tailwater/devstack';
import type { Collection } from 'mongodb';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';
import { runCommand } from '#test/support/run-command.js';

interface Counter {
  readonly _id: string;
  readonly written: number;
}

const COLLECTIONS = ['orders', 'customers', 'items'] as const;
const FILL = 20_000;
const WRITERS = 8;
const WRITES_EACH = 30;

let world: PipelineWorld;
let producer: PipelineProcess;
let consumers: PipelineProcess[];
beforeAll(async () => {
  world = await PipelineWorld.start({ mongoTarget: true });
  const orders = (await world.source.client()).db('shop').collection('orders');
  await orders.insertMany(Array.from({ length: FILL }, (_, n) => ({ _id: n as never, text: 'x'.repeat(200) })));
  producer = await world.producer();
  consumers = [await world.mongoConsumer('--session-timeout', '6')];
});
afterAll(() => world?.[Symbol.asyncDispose]());

const wait = (...args: string[]) =>
  runCommand('consumer', ['wait', '--target', 'mongo', '--kafka', world.kafka.brokers.join(','), '--prefix', world.prefix, ...args]);

async function collection(name: string, side: 'source' | 'target' = 'source'): Promise<Collection<Counter>> {
  return (await world[side].client()).db('shop').collection<Counter>(name);
}

/** Writes in a session and tells its `operationTime` as `t:i`. */
async function write(act: (collection: Collection<Counter>, options: object) => Promise<unknown>, name: string): Promise<string> {
  const client = await world.source.client();
  return client.withSession(async (session) => {
    await act(client.db('shop').collection<Counter>(name), { session });
    const { t, i } = session.operationTime ?? { t: 0, i: 0 };
    return `${t}:${i}`;
  });
}

/** Asks any of the processes that answers. */
async function untilApplied(after: string, namespace: string): Promise<void> {
  await waitFor(
    async () => {
      for (const { url } of consumers) {
        const answer = await request(`${url}/applied?after=${after}&namespace=${namespace}&timeout=60`).catch(() => undefined);
        if (answer === undefined) continue;
        const body = await answer.body.json().catch(() => undefined);
        if (answer.statusCode === 200) return true;
        if (body !== undefined) expect({ body, code: answer.statusCode }).toMatchObject({ code: 504 });
      }
      return false;
    },
    { describe: `${namespace} to be applied up to ${after}`, timeoutMs: 150_000 },
  );
}

describe('what is said to be applied', () => {
  it('is there, with the copy that a first start makes', async () => {
    const { code, stdout, stderr } = await wait('--until', 'now', '--timeout', '150');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^\S+\.mongo has everything up to \d+:\d+ of \S+\n$/);
    const differences = await world.mongoDifferences('orders');
    expect(differences).toMatchObject({ compared: FILL, missing: [], extra: [], different: [] });
  });

  it('is there, whoever is killed meanwhile', async () => {
    consumers.push(await world.mongoConsumer('--session-timeout', '6'));
    const latencies: number[] = [];
    let done = 0;
    const writer = async (number: number): Promise<void> => {
      const random = new Random(number);
      for (let n = 1; n <= WRITES_EACH; n += 1) {
        const name = COLLECTIONS[random.below(COLLECTIONS.length)] as string;
        const _id = `${number}/${name}`;
        const isDelete = random.below(6) === 0;
        const after = await write(
          (shop, options) =>
            isDelete ? shop.deleteOne({ _id }, options) : shop.replaceOne({ _id }, { written: n }, { ...options, upsert: true }),
          name,
        );
        const began = performance.now();
        await untilApplied(after, `shop.${name}`);
        latencies.push(performance.now() - began);
        const found = await (await collection(name, 'target')).findOne({ _id });
        expect({ _id, written: found?.written }).toEqual({ _id, written: isDelete ? undefined : n });
        done += 1;
      }
    };
    const all = WRITERS * WRITES_EACH;
    const killer = async (): Promise<void> => {
      for (const [kill, victim] of [producer, consumers[0], consumers[1], producer].entries()) {
        await waitFor(() => done > ((kill + 1) * all) / 6, { describe: 'writes', timeoutMs: 150_000 });
        await victim?.kill9();
        await victim?.start();
      }
    };
    await Promise.all([killer(), ...Array.from({ length: WRITERS }, (_, number) => writer(number))]);
    latencies.sort((a, b) => a - b);
    console.info(`read after write: p50 ${latencies[all >> 1]?.toFixed(0)} ms, p90 ${latencies[Math.floor(all * 0.9)]?.toFixed(0)} ms`);
    expect(latencies).toHaveLength(all);
  });

  it('is not said while nobody applies it, nor of what is not published', async () => {
    const after = await write((shop, options) => shop.insertOne({ _id: 'known', written: 1 }, options), 'orders');
    await untilApplied(after, 'shop.orders');
    const { url } = consumers[0] as PipelineProcess;
    for (const [query, code, body] of [
      ['after=yesterday', 400, { code: 'TW1368' }],
      ['after=now&timeout=long', 400, { code: 'TW1369' }],
      [`after=${after}&namespace=shop.unknown`, 400, { code: 'TW1367' }],
      ['after=4000000000:1&timeout=1', 504, { isApplied: false, reason: expect.stringContaining('is published up to') }],
    ] as const) {
      const answer = await request(`${url}/applied?${query}`);
      expect([query, answer.statusCode, await answer.body.json()]).toEqual([query, code, expect.objectContaining(body)]);
    }
    await Promise.all(consumers.map((consumer) => consumer.stop()));
    const later = await write((shop, options) => shop.insertOne({ _id: 'unknown', written: 1 }, options), 'orders');
    const late = await wait('--until', later, '--namespace', 'shop.orders', '--timeout', '3');
    expect(late).toMatchObject({ code: 1, stderr: expect.stringMatching(/^TW1366 .*shop\.orders\s+is\s+not\s+applied\s+up\s+to/) });
    expect((await wait('--until', later, '--namespace', 'shop.customers')).code).toBe(0);
  });
});
