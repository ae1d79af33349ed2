// What a producer says while its MongoDB is away, frozen, or without a majority: the truth, at once, and each thing once (promise H).
import { readFile } from 'node:fs/promises';
import { PipelineProcess, waitFor } from '@tailwater/devstack';
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
/** Of each source one, side by side: what happens to MongoDB happens to both. */
let producers: readonly Watched[];
beforeAll(async () => {
  world = await PipelineWorld.start({ source: { members: 3, arbiter: true } });
  await write(0);
  producers = await Promise.all((['oplog', 'change-stream'] as const).map((source) => Watched.start(source)));
});
afterEach(() => world.source.start());
afterAll(async () => {
  await Promise.all(producers?.map(({ process }) => process.stop()) ?? []);
  await world?.[Symbol.asyncDispose]();
});

/** A producer that is asked all the time, and whose log is read. */
class Watched {
  readonly process: PipelineProcess;
  readonly #source: string;

  private constructor(source: string, process: PipelineProcess) {
    this.#source = source;
    this.process = process;
  }

  static async start(source: 'oplog' | 'change-stream'): Promise<Watched> {
    const servers = ['--mongo', world.source.uri, '--kafka', world.kafka.brokers.join(',')];
    const args = [...servers, '--prefix', source, '--include', 'shop.*', '--source', source];
    return new Watched(source, await PipelineProcess.start('producer', args));
  }

  async ask(path: string): Promise<{ code: number; body: { reasons?: string[] } & Partial<Status> }> {
    const began = performance.now();
    const response = await request(`${this.process.url}${path}`, { headersTimeout: 10_000 });
    const body = (await response.body.json()) as { reasons?: string[] } & Partial<Status>;
    expect(performance.now() - began).toBeLessThan(AT_ONCE_MS);
    return { code: response.statusCode, body };
  }

  /** How many lines of the log begin so. */
  async told(text: RegExp): Promise<number> {
    const lines = (await readFile(this.process.logFile, 'utf8')).split('\n').filter((line) => line !== '');
    return lines.filter((line) => text.test((JSON.parse(line) as { msg: string }).msg)).length;
  }

  async untilTold(text: RegExp, times: number): Promise<void> {
    await waitFor(() => this.told(text), {
      until: (count) => count >= times,
      describe: `the line by ${this.#source}: ${text}`,
      timeoutMs: TOLD_MS,
    });
  }

  /** Both are asked all the time, and answer at once each time. */
  untilReady(isReady: boolean, reason: RegExp = /./) {
    return waitFor(() => Promise.all([this.ask('/readyz'), this.ask('/status')]), {
      until: ([{ code, body }]) => (isReady ? code === 200 : code === 503 && reason.test(body.reasons?.join() ?? '')),
      describe: (last) => `${this.#source} to be ${isReady ? 'ready' : `unready: ${reason}`}, not ${JSON.stringify(last)}`,
      timeoutMs: TOLD_MS,
      intervalMs: 200,
    });
  }

  async published(): Promise<string[]> {
    const records = await readTopic(world.kafka.brokers, `${this.#source}.shop.orders`);
    return [...new Set(records.map(({ key }) => String(key)))].sort();
  }

  async untilPublished(id: number): Promise<void> {
    await waitFor(() => this.published(), {
      until: (keys) => keys.includes(String(id)),
      describe: (keys) => `the write ${id} in the topic of ${this.#source}: ${keys?.join()}`,
    });
  }
}

async function write(id: number): Promise<void> {
  const orders = (await world.source.client()).db('shop').collection<{ _id: number }>('orders');
  await orders.insertOne({ _id: id }, { writeConcern: { w: 1 } });
}

const ofEach = (work: (producer: Watched) => Promise<void>): Promise<unknown> => Promise.all(producers.map(work));

describe('a producer, by oplog and by change stream,', () => {
  it.each([
    ['is away', 1, () => world.source.kill9(), () => world.source.start()],
    ['is frozen', 2, () => world.source.pause(), () => world.source.resume()],
  ])('tells once that MongoDB %s, answers at once all the while, and tells once that it is read again', async (_, nth, begin, end) => {
    const counts = (producer: Watched) =>
      Promise.all([producer.told(/^MongoDB cannot be read/), producer.told(/^MongoDB is read again, after/)]);
    await ofEach(async (producer) => {
      await producer.untilReady(true);
      expect(await counts(producer)).toEqual([nth - 1, nth - 1]);
    });
    await begin();
    try {
      await ofEach(async (producer) => {
        const [, { body }] = await producer.untilReady(false, /^MongoDB cannot be read: /);
        expect(body.source?.trouble?.reason).toEqual(expect.any(String));
        // Longer than the pauses between the attempts.
        await waitFor(() => producer.ask('/status'), {
          until: ({ body: { lagSeconds, source } }) => lagSeconds === null && (source?.trouble?.seconds ?? 0) >= 15,
          describe: (last) => `the outage to last: ${JSON.stringify(last)}`,
          timeoutMs: TOLD_MS,
          intervalMs: 200,
        });
        // A member that says nothing is away for /readyz a moment before the log tells of it.
        await producer.untilTold(/^MongoDB cannot be read/, nth);
        expect(await counts(producer)).toEqual([nth, nth - 1]);
      });
    } finally {
      await end();
    }
    await write(nth);
    await ofEach(async (producer) => {
      await producer.untilReady(true);
      await producer.untilPublished(nth);
      expect(await counts(producer)).toEqual([nth, nth]);
      expect(await producer.told(/^The pipeline (was interrupted|runs again)/)).toBe(0);
    });
  });

  it('tells what a replica set without a majority holds back, and why', async () => {
    await ofEach(async (producer) => void (await producer.untilReady(true)));
    const primary = await world.source.primary();
    const secondary = world.source.members.slice(0, 2).find((member) => member !== primary);
    await secondary?.shutdown();
    await write(1000);
    await ofEach(async (producer) => {
      const [, { body }] = await producer.untilReady(false, /^TW1148 /);
      expect(body.heldBackSeconds).toBeGreaterThanOrEqual(10);
      expect(await producer.published()).not.toContain('1000');
      await producer.untilTold(/^No majority of the replica set replicates new writes.*is held back$/, 1);
    });
    await secondary?.start();
    await ofEach(async (producer) => {
      const [, after] = await producer.untilReady(true);
      expect(after.body.heldBackSeconds).toBeLessThan(10);
      await producer.untilPublished(1000);
      await producer.untilTold(/^A majority of the replica set replicates writes again, after/, 1);
      expect(await producer.told(/^No majority of the replica set/)).toBe(1);
    });
  });
});
