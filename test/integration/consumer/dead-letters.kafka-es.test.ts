// What Elasticsearch refuses, tried again beside a consumer at work; and an index that was emptied by hand, filled again.
import { type Elasticsearch, freePort, startElasticsearch, waitFor } from '@tailwater/devstack';
import { StopRequested } from '@tailwater/runtime';
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
  const { hits } = (await request('GET', `/${index}/_search?size=5000`)) as { hits: { hits: { _id: string; _source: unknown }[] } };
  return Object.fromEntries(hits.hits.map(({ _id, _source }) => [_id, _source]));
}

describe('Elasticsearch', () => {
  test('a closed index holds up its namespace alone: the whole consumer goes on with the others, and says so', async () => {
    const { prefix, namespace, index } = await scene();
    const healthy = { ...namespace, collection: 'healthy' };
    await world.createTopic(prefix, healthy);
    await request('POST', `/${index}/_close`);
    const documents = (count: number) => Array.from({ length: count }, (_, _id) => ({ document: { _id, price: _id } }));
    await world.publish(prefix, namespace, documents(3000));
    const [stop, port] = [new AbortController(), await freePort()];
    const options = ['--target-url', es.url, '--status-port', String(port), '--buffer-bytes', '1048576'];
    const running = runConsumer(['start', ...args(prefix), ...options], stop.signal);
    const get = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    try {
      await waitFor(() => get('/readyz'), {
        describe: 'the closed index to be told',
        until: ({ status, body }) => status === 503 && JSON.stringify(body).includes(`${namespace.database}.orders`),
        timeoutMs: 60_000,
      });
      await world.publish(prefix, healthy, documents(1000));
      await waitFor(() => found(`${namespace.database}.healthy`), {
        describe: 'the healthy namespace',
        until: (all) => Object.keys(all).length === 1000,
        timeoutMs: 30_000,
      });
      const { body } = await get('/status');
      expect(body).toMatchObject({
        target: { failure: null, waiting: [{ namespace: `${namespace.database}.orders`, of: 'place', code: 'index_closed_exception' }] },
        deadLetters: { count: 0 },
      });
      await request('POST', `/${index}/_open`);
      await waitFor(() => found(index).catch(() => ({})), {
        describe: 'what waited',
        until: (all) => Object.keys(all).length === 3000,
        timeoutMs: 30_000,
      });
      await waitFor(() => get('/readyz'), { describe: 'readiness', until: ({ status }) => status === 200 });
    } finally {
      stop.abort(new StopRequested('SIGTERM'));
      await running;
    }
  });

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
