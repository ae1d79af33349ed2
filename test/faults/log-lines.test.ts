// What an operator reads while Kafka, the target and the source go away and come back: a line when it begins, one when it is over, none
// per attempt, and no stack of an error that was expected.
import { readFile } from 'node:fs/promises';
import { type PipelineProcess, waitFor } from '@tailwater/devstack';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PipelineWorld } from '#test/support/pipeline-world.js';

interface Line {
  readonly level: string;
  readonly component?: string;
  readonly msg: string;
}

const linesOf = async (process: PipelineProcess): Promise<Line[]> =>
  (await readFile(process.logFile, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line);

async function untilLogged(process: PipelineProcess, text: RegExp, times = 1): Promise<void> {
  await waitFor(async () => (await linesOf(process)).filter(({ msg }) => text.test(msg)).length >= times, {
    describe: `${times} × ${String(text)} in the log of the ${process.name}`,
    timeoutMs: 120_000,
    intervalMs: 200,
  });
}

let world: PipelineWorld;
beforeAll(async () => {
  world = await PipelineWorld.start({ mongoTarget: true });
});
afterAll(() => world?.[Symbol.asyncDispose]());

describe('the log of a pipeline', () => {
  it('tells of outages once when they begin and once when they are over', async () => {
    await world.reset();
    const orders = (await world.source.client()).db('shop').collection<{ _id: number }>('orders');
    await orders.insertOne({ _id: 0 });
    const producer = await world.producer();
    const consumer = await world.mongoConsumer();
    await world.untilMongoEquals('orders');

    await world.kafka.kill9();
    await orders.insertOne({ _id: 1 });
    await untilLogged(producer, /^The Kafka broker \S+ cannot be reached/);
    await untilLogged(consumer, /^The Kafka broker \S+ cannot be reached/);
    await world.kafka.start();
    await untilLogged(producer, /^The Kafka broker \S+ can be reached again, after/);
    await untilLogged(consumer, /^The Kafka broker \S+ can be reached again, after/);
    await world.untilMongoEquals('orders');

    await world.target.members[0]?.kill9();
    await orders.insertOne({ _id: 2 });
    await untilLogged(consumer, /^The target does not accept changes, trying again until it does: /);
    await world.target.start();
    await untilLogged(consumer, /^The target accepts changes again, after/);
    await world.untilMongoEquals('orders');

    await world.source.stepDown();
    await untilLogged(producer, /^The primary is /);
    await Promise.all([producer.shutdown(), consumer.shutdown()]);

    const [ofProducer, ofConsumer] = await Promise.all([linesOf(producer), linesOf(consumer)]);
    const first = (lines: Line[]) => lines.map(({ msg }) => msg);
    expect(first(ofProducer)).toContain('Producer started');
    expect(first(ofProducer)).toContain('Snapshot of the collection finished');
    expect(first(ofProducer).slice(-2)).toEqual(['Stopping: what is under way is finished first', 'Producer stopped']);
    expect(first(ofConsumer)).toContain('Consumer started');
    expect(first(ofConsumer).slice(-2)).toEqual(['Stopping: what is under way is finished first', 'Consumer stopped']);
    for (const lines of [ofProducer, ofConsumer]) {
      expect(lines.filter(({ msg }) => /^The Kafka broker \S+ cannot be reached/.test(msg)).length).toBeLessThanOrEqual(2);
      expect(JSON.stringify(lines)).not.toContain('"stack"');
      expect(lines.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
      // As many as there are things to tell, however often each was tried.
      expect(lines.length, first(lines).join('\n')).toBeLessThan(40);
    }
  });
});
