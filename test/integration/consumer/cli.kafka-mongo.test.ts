// `consumer start` and `consumer status` as their users see them: options in, files of status and figures out.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, waitFor } from '@tailwater/devstack';
import { StopRequested } from '@tailwater/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runConsumer as run } from './support/run-consumer.js';
import { World } from './support/world.js';

let world: World;
const namespace = { database: 'shop', collection: 'orders' };

const kafkaArgs = (prefix: string) => ['--kafka', world.kafka.brokers.join(','), '--prefix', prefix];
const startArgs = (prefix: string) => ['start', '--target', 'mongo', '--target-url', world.mongo.uri, ...kafkaArgs(prefix)];

beforeAll(async () => {
  world = await World.start();
});

afterAll(async () => {
  await world?.stop();
});

describe('consumer', () => {
  test('start applies, renames, reports, and stops when it is told to', async () => {
    await world.createTopic('tw', namespace);
    await world.publish('tw', namespace, [{ document: { _id: 1 } }, { document: { _id: 2 } }, { removed: 2 }]);
    const stop = new AbortController();
    const port = await freePort();
    const running = run([...startArgs('tw'), '--status-port', String(port), '--rename', 'shop.*=copy.*'], stop.signal);
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
    const metric = (text: string, name: string) =>
      Number(new RegExp(`^tailwater_consumer_${name}(?:{[^}]*})? (\\d+)$`, 'm').exec(text)?.[1]);
    const status = await waitFor(async () => JSON.parse(await get('/status')), {
      describe: 'all changes applied',
      until: ({ counts, lag, deadLetters }) => counts.applied + counts.superseded === 3 && lag === 0 && deadLetters !== null,
      timeoutMs: 60_000,
    });
    expect(status).toMatchObject({
      group: 'tw.mongo',
      target: { kind: 'mongo', failure: null },
      buffered: { count: 0, bytes: 0 },
      deadLetters: { count: 0, exact: true },
    });
    expect(await world.stored({ database: 'copy', collection: 'orders' })).toEqual(new Map([[1, { _id: 1 }]]));

    expect(JSON.parse(await get('/readyz'))).toMatchObject({ status: 'ready' });
    const metrics = await get('/metrics');
    expect(metric(metrics, 'changes_read_total')).toBe(3);
    const ended = ['applied', 'superseded', 'filtered', 'dead_lettered', 'skipped', 'returned'].map((outcome) =>
      metric(metrics, `changes_${outcome}_total`),
    );
    expect(ended.reduce((a, b) => a + b)).toBe(3);
    expect(metric(metrics, 'lag_records')).toBe(0);
    expect(metric(metrics, 'dead_letters')).toBe(0);
    expect(metric(metrics, 'request_seconds_count')).toBeGreaterThan(0);
    expect(metric(metrics, 'namespace_changes_applied_total')).toBe(metric(metrics, 'changes_applied_total'));
    expect(['member', 'rebalances_total', 'partitions'].map((name) => metric(metrics, name))).toEqual([1, 1, 4]);
    expect(metrics).toMatch(/^tailwater_ready\{group="tw.mongo",target="mongo"\} 1$/m);
    expect(metrics).toMatch(/^tailwater_kafka_request_seconds_count\{.*request="Fetch".*\} [1-9]/m);
    expect(metrics).not.toMatch(/^[^#].* NaN$/m);

    await world.mongo.shutdown();
    await world.publish('tw', namespace, [{ document: { _id: 3 } }]);
    await waitFor(() => get('/readyz'), {
      describe: 'not ready while the target is down',
      until: (text) => text.includes('TW1301'),
      timeoutMs: 60_000,
    });
    const began = performance.now();
    stop.abort(new StopRequested('SIGTERM'));
    await running;
    expect(performance.now() - began).toBeLessThan(10_000);
    await world.mongo.start();
  });

  test('a record that anybody wrote holds up its partition, says so, and ends nothing; the other namespaces go on', async () => {
    const strange = { database: 'shop', collection: 'strange' };
    for (const each of [namespace, strange]) await world.createTopic('any', each, { partitions: 1 });
    const values = ['0000000007', `c301${'07'.repeat(8)}`].map((hex) => Buffer.from(hex, 'hex'));
    await world.publish('any', strange, [{ document: { _id: 1 } }]);
    await world.publishRaw('any', strange, values[0] as Buffer);
    await world.publish('any', strange, [{ document: { _id: 2 } }]);
    const folder = await mkdtemp(join(tmpdir(), 'tailwater-any-'));
    const log = join(folder, 'consumer.log');
    const [stop, port] = [new AbortController(), await freePort()];
    const more = ['--rename', 'shop.*=any.*', '--log-file', log, '--log-level', 'warn', '--status-port', String(port)];
    const running = run([...startArgs('any'), ...more], stop.signal);
    const get = async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).json() as Promise<Record<string, unknown>>;
    try {
      await waitFor(() => get('/readyz'), { describe: 'what waits', until: (body) => JSON.stringify(body).includes('any.shop.strange') });
      await world.publish(
        'any',
        namespace,
        Array.from({ length: 1000 }, (_, _id) => ({ document: { _id } })),
      );
      await world.publishRaw('any', namespace, values[1] as Buffer);
      await waitFor(() => get('/status'), {
        describe: 'everything but what waits to be applied, and both to be told',
        until: ({ counts, unreadable }) => (counts as { applied: number }).applied === 1001 && (unreadable as unknown[]).length === 2,
        timeoutMs: 30_000,
      });
      const { unreadable, deadLetters } = (await get('/status')) as { unreadable: { code: string }[]; deadLetters: unknown };
      expect(unreadable).toMatchObject([
        { topic: 'any.shop.strange', partition: 0, code: 'TW1564' },
        { topic: 'any.shop.orders', partition: 0, code: 'TW1502' },
      ]);
      expect(deadLetters).toMatchObject({ count: 0 });
      expect([...(await world.stored({ database: 'any', collection: 'orders' })).keys()]).toHaveLength(1000);
      expect([...(await world.stored({ database: 'any', collection: 'strange' })).keys()]).toEqual([1]);
    } finally {
      stop.abort(new StopRequested('SIGTERM'));
      await running;
    }
    const lines = (await readFile(log, 'utf8')).split('\n').filter((line) => line.includes('A partition waits'));
    expect(lines).toHaveLength(2);
    await rm(folder, { recursive: true });
  });

  test('two targets in one group are noticed: a second one at the same time is refused, another one later is told of', async () => {
    await world.createTopic('two', namespace);
    await world.publish('two', namespace, [{ document: { _id: 1 } }]);
    const folder = await mkdtemp(join(tmpdir(), 'tailwater-two-'));
    const log = join(folder, 'consumer.log');
    const elsewhere = world.mongo.uri.replace('127.0.0.1', 'localhost');
    const more = ['--session-timeout', '6', '--log-file', log, '--log-level', 'warn'];
    const args = (url: string) => ['start', '--target', 'mongo', '--target-url', url, ...kafkaArgs('two'), ...more];
    const begin = async (url: string) => {
      const [stop, port] = [new AbortController(), await freePort()];
      const running = run([...args(url), '--status-port', String(port)], stop.signal);
      await waitFor(async () => JSON.parse(await (await fetch(`http://127.0.0.1:${port}/status`)).text()), {
        describe: 'everything to be applied',
        until: ({ lag }) => lag === 0,
        timeoutMs: 60_000,
      });
      return async () => {
        stop.abort(new StopRequested('SIGTERM'));
        await running;
        return (await readFile(log, 'utf8').catch(() => '')).split('\n').filter((line) => line.includes('TW1316')).length;
      };
    };
    const end = await begin(world.mongo.uri);
    await expect(run([...args(elsewhere), '--status-port', '0'])).rejects.toMatchObject({ code: 'TW1315' });
    await world.publish('two', namespace, [{ document: { _id: 2 } }]);
    expect(await end()).toBe(0);
    const endOther = await begin(elsewhere);
    await world.publish('two', namespace, [{ document: { _id: 3 } }]);
    await waitFor(() => world.stored(namespace), { describe: 'three documents', until: ({ size }) => size === 3 });
    expect(await endOther()).toBe(1);
    // Where it was all the time by then.
    expect(await (await begin(elsewhere))()).toBe(1);
    await rm(folder, { recursive: true });
  });

  test('start applies to a target of one’s own', async () => {
    await world.createTopic('own', namespace);
    await world.publish('own', namespace, [{ document: { _id: 1 } }, { document: { _id: 2 } }, { removed: 3 }]);
    const directory = await mkdtemp(join(tmpdir(), 'tailwater-journal-'));
    const journal = join(directory, 'journal');
    const stop = new AbortController();
    const running = run(
      ['start', '--target', './test/fixtures/target/journal-target.mjs', '--target-url', journal, ...kafkaArgs('own')],
      stop.signal,
    );
    const keys = async () =>
      (await readFile(journal, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { key: string }).key);
    await waitFor(async () => (await keys()).sort(), { until: (found) => found.join() === '1,2,3', timeoutMs: 60_000 });
    stop.abort(new StopRequested('SIGINT'));
    await running;
    const status = JSON.parse(await run(['status', '--json', ...kafkaArgs('own')]));
    expect(status.groups).toMatchObject([{ group: 'own.journal-target' }]);
    await rm(directory, { recursive: true });
  });

  test('status shows what is committed and what is left, with a consumer and without', async () => {
    expect(await run(['status', ...kafkaArgs('nobody')])).toContain('No consumer group of the prefix nobody');
    expect(JSON.parse(await run(['status', '--json', ...kafkaArgs('nobody')]))).toEqual({ prefix: 'nobody', groups: [] });

    await world.createTopic('st', namespace);
    await world.publish(
      'st',
      namespace,
      Array.from({ length: 20 }, (_, id) => ({ document: { _id: id } })),
    );
    const stop = new AbortController();
    const running = run([...startArgs('st'), '--name', 'copy'], stop.signal);
    const status = async () => JSON.parse(await run(['status', '--json', ...kafkaArgs('st')]));
    const report = await waitFor(status, {
      describe: 'lag 0',
      until: ({ groups }) => groups[0]?.topics[0]?.lag === 0 && groups[0].topics[0].committed > 0,
      timeoutMs: 60_000,
    });
    expect(report.groups).toMatchObject([
      { group: 'st.copy', state: 'Stable', members: 1, topics: [{ topic: 'st.shop.orders', partitions: 4 }] },
    ]);
    stop.abort(new StopRequested('SIGINT'));
    await running;
    await world.publish('st', namespace, [{ document: { _id: 1 } }]);
    const after = await status();
    expect(after.groups).toMatchObject([{ group: 'st.copy', state: 'Empty', members: 0 }]);
    // One change and the marker of its transaction.
    expect(after.groups[0].topics[0].lag).toBe(2);
    const table = await run(['status', ...kafkaArgs('st')]);
    expect(table).toMatch(/st\.copy\s.*empty, 0.*st\.shop\.orders/);
  });

  test('start leaves fields out, has a function at the documents, and merges namespaces', async () => {
    const items = { database: 'shop', collection: 'items' };
    await Promise.all([world.createTopic('tf', namespace), world.createTopic('tf', items)]);
    await world.publish('tf', namespace, [{ document: { _id: 1, secret: 's', total: 5 } }, { document: { _id: 2, total: 0 } }]);
    await world.publish('tf', namespace, [{ document: { _id: 4, bad: true } }]);
    await world.publish('tf', items, [{ document: { _id: 3, secret: 's', n: 1 } }]);
    const directory = await mkdtemp(join(tmpdir(), 'transform-'));
    const file = join(directory, 'fn.mjs');
    const source = `export default (document, { namespace }) => {
      if (document.bad) throw new Error('no total');
      return document.total === 0 ? null : { ...document, from: namespace, saw: 'secret' in document };
    }`;
    await writeFile(file, source);
    const stop = new AbortController();
    const args = [
      '--rename',
      'shop.orders=all.docs,shop.items=all.docs',
      '--allow-merge',
      '--exclude-fields',
      'secret',
      '--transform',
      file,
    ];
    await expect(run([...startArgs('tf'), '--rename', 'shop.orders=all.docs,shop.items=all.docs'])).rejects.toMatchObject({
      code: 'TW1011',
    });
    const running = run([...startArgs('tf'), ...args], stop.signal);
    const expected = new Map<number, object>([
      [1, { _id: 1, total: 5, from: 'shop.orders', saw: false }],
      [3, { _id: 3, n: 1, from: 'shop.items', saw: false }],
    ]);
    const stored = () => world.stored({ database: 'all', collection: 'docs' });
    await waitFor(stored, { describe: 'both namespaces', until: (documents) => documents.size === expected.size, timeoutMs: 60_000 });
    const list = async () => JSON.parse(await run(['dead-letters', 'list', '--target', 'mongo', '--json', ...kafkaArgs('tf')]));
    const { letters } = await waitFor(list, { describe: 'a dead letter', until: (listed) => listed.letters.length > 0 });
    expect(letters).toMatchObject([{ code: 'TW1375', reason: expect.stringContaining('no total') }]);
    stop.abort(new StopRequested('SIGINT'));
    await running;
    expect(await stored()).toEqual(expected);
    await rm(directory, { recursive: true });
  });

  test.each([
    ['TW1012', ['start', '--target', 'elastic', '--target-url', 'http://127.0.0.1:1']],
    ['TW1330', ['start', '--target', './absent.js', '--target-url', 'x']],
    ['TW1308', ['start', '--target', 'solr', '--target-url', 'http://127.0.0.1:1']],
    ['TW1007', ['start', '--target', 'es']],
    ['TW1013', ['start', '--target', 'es', '--target-url', 'http://127.0.0.1:1', '--prefix', 'a.b']],
    ['TW1006', ['start', '--target', 'es', '--target-url', 'http://127.0.0.1:1', '--name', 'a b']],
    ['TW1006', ['start', '--target', 'es', '--target-url', 'http://127.0.0.1:1', '--in-flight', '0']],
    ['TW1308', ['start', '--target', 'es', '--target-url', '127.0.0.1:9200']],
    ['TW1308', ['start', '--target', 'mongo', '--target-url', 'http://127.0.0.1:9200']],
    ['TW1010', ['start', '--target', 'es', '--target-url', 'http://127.0.0.1:1', '--include', 'nodot']],
    ['TW1013', ['status', '--prefix', 'a.b']],
  ])('%s: %j', async (code, args) => {
    await expect(run(args)).rejects.toMatchObject({ code });
  });

  test('a broker or a target that is not there is named, after a bounded wait', async () => {
    const target = ['start', '--target', 'es', '--target-url', `http://127.0.0.1:${await freePort()}`];
    const began = performance.now();
    await expect(run([...target, ...kafkaArgs('tw')])).rejects.toMatchObject({
      code: 'TW1301',
      message: expect.stringContaining('Elasticsearch'),
    });
    await expect(run(['status', '--kafka', `127.0.0.1:${await freePort()}`])).rejects.toMatchObject({ code: 'TW1201' });
    expect(performance.now() - began).toBeLessThan(60_000);
  });
});
