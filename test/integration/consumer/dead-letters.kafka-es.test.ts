// What Elasticsearch refuses, tried again beside a consumer at work; and an index that was emptied by hand, filled again.
import { type Elasticsearch, startElasticsearch, waitFor } from '@tailwater/devstack';
import type { Namespace } from '@tailwater/schema';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ElasticsearchTarget } from '#consumer/targets/elasticsearch/elasticsearch.js';
import { runConsumer } from './support/run-consumer.js';
import { World } from './support/world.js';

let world: World;
let es: Elasticsearch;
let number = 0;

beforeAll(async () => {
  [world, es] = await Promise.all([World.start(), startElasticsearch()]);
});

afterEach(async () => {
  await world.stopConsumers();
});

afterAll(async () => {
  await Promise.all([world?.stop(), es?.stop()]);
});

async function request(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(`${es.url}${path}`, { method, ...init });
  return (await response.json()) as Record<string, unknown>;
}

/** An index whose `price` is a number. */
async function scene(): Promise<{ prefix: string; namespace: Namespace; index: string }> {
  number += 1;
  const [prefix, namespace] = [`de${number}`, { database: `de${number}`, collection: 'orders' }];
  const index = `${namespace.database}.orders`;
  await world.createTopic(prefix, namespace);
  await request('PUT', `/${index}`, {
    settings: { 'index.gc_deletes': '1s' },
    mappings: { properties: { price: { type: 'long' } } },
  });
  return { prefix, namespace, index };
}

const consumer = (prefix: string) =>
  world.consumer(prefix, { target: new ElasticsearchTarget({ url: es.url, connectTimeoutMs: 5000, requestTimeoutMs: 30_000 }) });
const args = (prefix: string) => ['--target', 'es', '--name', 'test', '--kafka', world.kafka.brokers.join(','), '--prefix', prefix];
const lettersOf = async (prefix: string): Promise<string[]> =>
  (await world.lettersOf(prefix)).map(({ record }) => String(record.key)).sort();

/** Every document of the index, by id. */
async function found(index: string): Promise<Record<string, unknown>> {
  await request('POST', `/${index}/_refresh`);
  const { hits } = (await request('GET', `/${index}/_search?size=1000`)) as { hits: { hits: { _id: string; _source: unknown }[] } };
  return Object.fromEntries(hits.hits.map(({ _id, _source }) => [_id, _source]));
}

describe('Elasticsearch', () => {
  test('a mapping conflict is put aside; a retry beside the consumer applies it, and overwrites nothing newer', async () => {
    const { prefix, namespace, index } = await scene();
    const { pipeline } = consumer(prefix);
    const priced = (id: number, price: unknown) => ({ document: { _id: id, price } });
    await world.publish(prefix, namespace, [priced(1, 10), priced(2, 'n/a'), priced(3, 30), priced(4, 'n/a')]);
    await world.untilCommitted(prefix, namespace);
    expect(await lettersOf(prefix)).toEqual(['2', '4']);
    expect(await found(index)).toEqual({ 1: { price: 10 }, 3: { price: 30 } });
    expect(pipeline.tally).toMatchObject({ read: 4, applied: 2, deadLettered: 2 });

    await world.publish(prefix, namespace, [priced(4, 40)]);
    await world.untilCommitted(prefix, namespace);
    const retry = ['dead-letters', 'retry', '--all', ...args(prefix), '--target-url', es.url];
    await expect(runConsumer(retry)).rejects.toMatchObject({ code: 'TW1357' });
    expect(await lettersOf(prefix)).toEqual(['2']);
    await request('PUT', `/${index}/_mapping`, { properties: { price: { type: 'long', ignore_malformed: true } } });
    expect(await runConsumer(retry)).toBe('1 applied\n');
    expect(await lettersOf(prefix)).toEqual([]);
    expect(await found(index)).toEqual({ 1: { price: 10 }, 2: { price: 'n/a' }, 3: { price: 30 }, 4: { price: 40 } });
  });

  test('an index that was emptied, or deleted, by hand is whole again after a replay', async () => {
    const { prefix, namespace, index } = await scene();
    const first = consumer(prefix);
    const documents = Array.from({ length: 50 }, (_, id) => ({ document: { _id: id, price: id } }));
    await world.publish(prefix, namespace, documents);
    await world.publish(prefix, namespace, [{ document: { _id: 1, price: 100 } }, { removed: 2 }]);
    await world.untilCommitted(prefix, namespace);
    const before = await found(index);
    expect(Object.keys(before)).toHaveLength(49);
    await first.stop();

    for (const id of Object.keys(before)) await request('DELETE', `/${index}/_doc/${id}`);
    expect(await found(index)).toEqual({});
    // The versions of what was deleted by hand are remembered for index.gc_deletes, and beat those of the replay.
    const emptiedAtMs = Date.now();
    await waitFor(() => Date.now(), { describe: 'the deletes to be forgotten', until: (now) => now > emptiedAtMs + 2_000 });
    await runConsumer(['replay', ...args(prefix), '--from', 'beginning']);
    const second = consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    expect(await found(index)).toEqual(before);
    await second.stop();

    await request('DELETE', `/${index}`);
    await runConsumer(['replay', ...args(prefix), '--from', 'beginning']);
    consumer(prefix);
    await world.untilCommitted(prefix, namespace);
    expect(await found(index)).toEqual(before);
  });
});
