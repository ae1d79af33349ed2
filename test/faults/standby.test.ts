// Several producers of one source: one leads, and whatever ends it, another goes on within seconds (promises A and B), on three
// brokers. The topic has every change exactly once for those who read committed records, in order per document.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type PipelineProcess, Random, waitFor } from '@tailwater/devstack';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';
import { runCommand } from '#test/support/run-command.js';
import { foldTopic } from '../integration/producer/support/folded-topic.js';
import { oplogPositions } from './support/oplog-positions.js';

const SEED = 11;
const SESSION = ['--session-timeout', '6'];
/** A hand-over takes about the session timeout; this is only where waiting ends. */
const HANDOVER_TIMEOUT_MS = 60_000;

interface Status {
  readonly phase: string;
  readonly position: string | null;
  readonly counts: { readonly eventsPublished: number } | null;
}

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.start({ brokers: 3 });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const untilPhase = (producer: PipelineProcess, phase: string): Promise<unknown> =>
  waitFor(() => producer.status<Status>(), {
    until: (status) => status?.phase === phase,
    describe: (last) => `${phase}, not ${last?.phase}`,
    timeoutMs: HANDOVER_TIMEOUT_MS,
    intervalMs: 25,
  });

const published = async (producer: PipelineProcess): Promise<number> => (await producer.status<Status>()).counts?.eventsPublished ?? 0;

/** Until the producer has published something of its own, since it was asked. */
async function untilPublishing(producer: PipelineProcess): Promise<void> {
  await untilPhase(producer, 'running');
  const before = await published(producer);
  await waitFor(async () => (await published(producer)) > before, { describe: 'further events', intervalMs: 25 });
}

const tailedPositions = async (): Promise<string[]> => {
  const { events, tombstones } = await foldTopic(world.kafka.brokers, `${world.prefix}.shop.orders`);
  return [...events.filter(({ origin }) => origin === 'tail'), ...tombstones].map(({ position }) => position.toString());
};

const logOf = async (producer: PipelineProcess): Promise<string[]> =>
  (await readFile(producer.logFile, 'utf8')).split('\n').filter((line) => line.includes('"msg"'));

describe('two producers of one source', () => {
  it('hand over when the leader is killed, frozen, or stopped, and publish every change once', async () => {
    const client = await world.source.client();
    const orders = client.db('shop').collection<{ _id: number; n: number }>('orders');
    await orders.insertMany(Array.from({ length: 50 }, (_, n) => ({ _id: n, n: 0 })));
    const [one, two] = [await world.producer(...SESSION), await world.producer(...SESSION)];
    await untilPhase(one, 'running');
    await untilPhase(two, 'standby');
    const readyz = await request(`${two.url}/readyz`);
    expect([readyz.statusCode, await readyz.body.json()]).toEqual([200, { status: 'standby', reasons: [] }]);
    const args = ['--mongo', world.source.uri, '--kafka', world.kafka.brokers.join(','), '--prefix', world.prefix];
    // The first member of a group waits for others, and does its work meanwhile.
    const { stdout } = await waitFor(() => runCommand('producer', ['status', ...args]), {
      until: (run) => run?.stdout.includes('leads') === true,
      describe: 'the group to be settled',
    });
    expect(stdout).toMatch(new RegExp(`leads +process ${one.pid} on .+\\n *stands by +process ${two.pid} on `));
    const start = (await oplogPositions(client, 'shop.orders')).length;

    const random = new Random(SEED);
    const stop = new AbortController();
    const writing = (async (): Promise<void> => {
      for (let n = 1; !stop.signal.aborted; n++) {
        await orders.insertOne({ _id: 1000 + n, n });
        await orders.updateOne({ _id: random.below(50) }, { $set: { n } });
        // Nothing updates what is deleted, so no update is superseded.
        if (n % 5 === 0) await orders.deleteOne({ _id: 1000 + n });
        await sleep(2);
      }
    })();
    const handovers: Record<string, number> = {};
    const handOver = async (name: string, end: () => Promise<void>, to: PipelineProcess): Promise<void> => {
      const startedAtMs = performance.now();
      await end();
      await untilPublishing(to);
      handovers[name] = Math.round(performance.now() - startedAtMs);
    };

    await untilPublishing(one);
    await handOver('kill -9', () => one.kill9(), two);
    await one.start();
    await untilPhase(one, 'standby');
    await handOver('SIGSTOP', () => two.pause(), one);
    const woken = two.pid;
    await two.resume();
    await untilPhase(two, 'standby');
    // Once at its start, and once more when it woke up and found that it had been replaced.
    expect((await logOf(two)).filter((line) => line.includes('Standing by')).length).toBe(2);
    await untilPublishing(one);
    await handOver('SIGTERM', () => one.shutdown(), two);
    expect(two.pid).toBe(woken);
    // Alone, it need not wait until the group has buried the process that it was before.
    await handOver('restart', () => two.kill9().then(() => two.start()), two);
    await one.start();
    await untilPhase(one, 'standby');
    // Brokers that are away for longer than the session timeout change nothing but the time of day.
    await world.kafka.pause();
    await sleep(7000);
    await world.kafka.resume();
    const phases = await waitFor(() => Promise.all([one, two].map(async (each) => (await each.status<Status>()).phase)), {
      until: (now) => now?.includes('running') === true && now.includes('standby'),
      describe: (now) => `one that leads and one that stands by, not ${now}`,
      timeoutMs: HANDOVER_TIMEOUT_MS,
    });
    const leader = [one, two][phases.indexOf('running')] as PipelineProcess;
    await untilPublishing(leader);
    stop.abort();
    await writing;

    const wanted = (await oplogPositions(client, 'shop.orders')).slice(start);
    const tailed = await waitFor(tailedPositions, {
      // The partitions are not read at one moment: the last change may be seen before others of its transaction.
      until: (positions) => {
        const seen = new Set(positions);
        return wanted.every((position) => seen.has(position));
      },
      describe: (positions) => `all of ${wanted.length} changes, now ${positions?.length}`,
      timeoutMs: HANDOVER_TIMEOUT_MS,
    });
    expect(tailed.sort()).toEqual([...wanted].sort());
    if (process.env['SHOW_FIGURES'] !== undefined) console.log(handovers);
  });
});
