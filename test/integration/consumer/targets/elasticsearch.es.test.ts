// The Elasticsearch target against a real node: what only it has. What every target does: test/contract/target.
import { type Elasticsearch, type RejectionKind, startElasticsearch, waitFor } from '@tailwater/devstack';
import { Position } from '@tailwater/schema';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyBatch } from '#consumer/apply/apply-batch.js';
import type { Delivery } from '#consumer/apply/delivery.js';
import type { Change } from '#consumer/changes/change.js';
import { ElasticsearchTarget } from '#consumer/targets/elasticsearch/elasticsearch.js';
import type { ChangeResult } from '#consumer/targets/target.js';
import { AnsweringProxy, type OwnAnswer } from '#test/support/answering-proxy.js';
import { change, TestDelivery } from '#test/unit/consumer/support/changes.js';
import { raw } from '../support/bson-zoo.js';
import { LanesRun } from '../support/lanes-run.js';

let es: Elasticsearch;
let target: ElasticsearchTarget;
const never = new AbortController().signal;
const options = { connectTimeoutMs: 5000, requestTimeoutMs: 30_000 };
const APPLIED = { status: 'applied' };

beforeAll(async () => {
  es = await startElasticsearch();
  target = new ElasticsearchTarget({ url: es.url, ...options });
  await target.connect(never);
});

afterAll(async () => {
  await target?.close();
  await es?.stop();
});

const upsert = (collection: string, id: unknown, sequence: number, document: Buffer): Change =>
  change(id, sequence, { namespace: namespace(collection), document });
const remove = (collection: string, id: unknown, sequence: number): Change =>
  change(id, sequence, { namespace: namespace(collection), kind: 'delete', op: 'delete', document: Buffer.alloc(0) });
const namespaces = new Map<string, { database: string; collection: string }>();
function namespace(collection: string) {
  const known = namespaces.get(collection) ?? { database: 'Shop', collection };
  namespaces.set(collection, known);
  return known;
}

const apply = (...changes: Change[]): Promise<readonly ChangeResult[]> => target.applyBatch(changes, never);

async function request(path: string, init?: RequestInit): Promise<{ status: number; text: string }> {
  const response = await fetch(`${es.url}${path}`, init);
  return { status: response.status, text: await response.text() };
}

/** The source of a document as text, so that every digit shows; undefined when there is none. */
async function source(collection: string, id: string): Promise<string | undefined> {
  const { status, text } = await request(`/shop.${collection}/_source/${encodeURIComponent(id)}`);
  return status === 200 ? text : undefined;
}

async function count(collection: string): Promise<number> {
  await request(`/shop.${collection}/_refresh`, { method: 'POST' });
  return JSON.parse((await request(`/shop.${collection}/_count`)).text).count as number;
}

describe('ElasticsearchTarget', () => {
  test('dynamic mapping makes floats of doubles, longs of integers and dates of dates', async () => {
    await apply(upsert('mapping', 1, 1, raw({ _id: 1, price: 2.5, count: 3, at: new Date(0) })));
    const mapping = JSON.parse((await request('/shop.mapping/_mapping')).text);
    expect(mapping['shop.mapping'].mappings.properties).toMatchObject({
      price: { type: 'float' },
      count: { type: 'long' },
      at: { type: 'date' },
    });
  });

  test('a date field takes the dates that ISO 8601 with four digits cannot say', async () => {
    const dates = [0, -62_167_219_200_001, -377_705_116_800_001, 8.64e15, 253_402_300_800_000].map((ms) => new Date(ms));
    const results = await apply(...dates.map((at, id) => upsert('dates', id, 1, raw({ _id: id, at }))));
    expect(results).toEqual(dates.map(() => APPLIED));
  });

  test('numbers that JSON cannot say are left out and counted', async () => {
    const before = target.droppedValues;
    await apply(upsert('nan', 1, 1, raw({ _id: 1, a: Number.NaN, b: [Number.POSITIVE_INFINITY, 1.5] })));
    expect(await source('nan', '1')).toBe('{"b":[null,1.5]}');
    expect(target.droppedValues - before).toBe(2);
  });

  test('field names with dots, `$`, nothing, blanks, or the names of metadata fields keep no document out', async () => {
    const names = ['', ' ', '.', '.a', 'a.', 'b..c', 'd. .e', 'f.g', '$h', '$', '_index', '_source.x', '_routing', '_doc_count', '\u2003'];
    const fields = Object.fromEntries(names.map((name) => [name, 1]));
    expect(await apply(upsert('names', 1, 1, raw({ _id: 1, ...fields, inside: { _id: 2, _source: 3, '': 4, $i: 5 } })))).toEqual([APPLIED]);
    const stored = JSON.parse((await source('names', '1')) ?? '');
    expect(Object.keys(stored)).toEqual([
      '_x_',
      '_x20_',
      '_x2e_',
      '_x2e_a',
      'a_x2e_',
      'b_x2e__x2e_c',
      'd_x2e_ _x2e_e',
      'f.g',
      '$h',
      '$',
      '_x5f_index',
      '_x5f_source.x',
      '_x5f_routing',
      '_x5f_doc_count',
      '_xe2__x80__x83_',
      'inside',
    ]);
    expect(stored.inside).toEqual({ _id: 2, _source: 3, _x_: 4, $i: 5 });
  });

  test('an older version is superseded, the same one is applied again, and so is a newer one', async () => {
    const write = (sequence: number) => apply(upsert('versions', 'a', sequence, raw({ _id: 'a', sequence })));
    expect(await write(5)).toEqual([APPLIED]);
    expect(await write(4)).toEqual([{ status: 'superseded' }]);
    expect(await write(5)).toEqual([APPLIED]);
    expect(await write(6)).toEqual([APPLIED]);
    expect(await apply(remove('versions', 'a', 5))).toEqual([{ status: 'superseded' }]);
    expect(await source('versions', 'a')).toBe('{"sequence":6}');
  });

  test('a delete removes, also what is not there, and keeps older writes out', async () => {
    await apply(upsert('deletes', 'a', 1, raw({ _id: 'a' })));
    expect(await apply(remove('deletes', 'a', 2), remove('deletes', 'b', 2))).toEqual([APPLIED, APPLIED]);
    expect(await source('deletes', 'a')).toBeUndefined();
    expect(await apply(upsert('deletes', 'a', 1, raw({ _id: 'a' })))).toEqual([{ status: 'superseded' }]);
    expect(await apply(upsert('deletes', 'a', 3, raw({ _id: 'a' })))).toEqual([APPLIED]);
  });

  test('versions of today are compared exactly, beyond 2^53', async () => {
    const at = (i: number) => apply({ ...upsert('exact', 1, 1, raw({ _id: 1 })), position: new Position(2 ** 31 - 1, i) });
    expect(await at(2 ** 32 - 2)).toEqual([APPLIED]);
    expect(await at(2 ** 32 - 3)).toEqual([{ status: 'superseded' }]);
    expect(await at(2 ** 32 - 1)).toEqual([APPLIED]);
  });

  test.each(['Or ders', 'a*b', 'a,b', 'a#b', 'a:b', 'größe', 'a|b', '-', 'a<b>c', 'x'.repeat(240)])(
    'the collection %j has an index',
    async (collection) => {
      expect(await apply(upsert(collection, 1, 1, raw({ _id: 1 })))).toEqual([APPLIED]);
    },
  );

  test('a namespace that is too long for an index name is refused by name', async () => {
    const long = { database: 'shop', collection: 'x'.repeat(251) };
    expect(() => target.nameOf(long)).toThrow(expect.objectContaining({ code: 'TW1304' }));
  });

  test('requests at once that bring a new field, some as an integer and some as a float, all pass', async () => {
    const numbers = [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5];
    for (let round = 0; round < 10; round++) {
      const collection = `race-${round}`;
      const batches = numbers.map((n, id) =>
        target.applyBatch([upsert(collection, id, 1, raw({ _id: id, n }))], new AbortController().signal),
      );
      expect((await Promise.all(batches)).flat()).toEqual(numbers.map(() => APPLIED));
    }
  });

  test('an index that is read-only for the moment is worth another attempt', async () => {
    await apply(upsert('blocked', 1, 1, raw({ _id: 1 })));
    const block = (value: boolean) =>
      request('/shop.blocked/_settings', {
        method: 'PUT',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ 'index.blocks.write': value }),
      });
    await block(true);
    expect(await apply(upsert('blocked', 2, 1, raw({ _id: 2 })))).toMatchObject([{ status: 'rejected', retriable: true }]);
    await block(false);
    expect(await apply(upsert('blocked', 2, 1, raw({ _id: 2 })))).toEqual([APPLIED]);
  });

  test('a body over http.max_content_length goes in parts, and a document over it is refused for good', async () => {
    await es.restartWith({ 'http.max_content_length': '1mb' });
    const changes = Array.from({ length: 8 }, (_, id) => upsert('parts', id, 1, raw({ _id: id, text: 'x'.repeat(300_000) })));
    expect(await apply(...changes)).toEqual(changes.map(() => APPLIED));
    const results = await apply(
      upsert('parts', 'a', 1, raw({ _id: 'a' })),
      upsert('parts', 'b', 1, raw({ _id: 'b', text: 'x'.repeat(1_100_000) })),
    );
    expect(results).toMatchObject([APPLIED, { status: 'rejected', code: '413', retriable: false }]);
    await es.restartWith({});
    expect(await count('parts')).toBe(9);
  });
});

const put = (path: string, body: object = {}, method = 'PUT') =>
  request(path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
const cluster = (settings: object) => put('/_cluster/settings', { persistent: settings });
/** Fifty documents, of which every tenth is deleted. */
const fifty = (collection: string): Change[] =>
  Array.from({ length: 50 }, (_, n) => {
    const id = `${collection}-${n}`;
    return n % 10 === 0 ? remove(collection, id, 1) : upsert(collection, id, 1, raw({ _id: id, n }));
  });
const idsOf = (changes: readonly Change[]) => changes.filter(({ kind }) => kind === 'upsert').map(({ key }) => JSON.parse(key) as string);

async function idsIn(collection: string): Promise<string[]> {
  await request(`/shop.${collection}/_refresh`, { method: 'POST' });
  const { text } = await request(`/shop.${collection}/_search?size=2000&_source=false`);
  return (JSON.parse(text) as { hits: { hits: { _id: string }[] } }).hits.hits.map(({ _id }) => _id).sort();
}

describe('places that take nothing', () => {
  const closedBy: Readonly<Record<string, { code: string; close: () => Promise<unknown>; mend: () => Promise<unknown> }>> = {
    closed: {
      code: 'index_closed_exception',
      close: async () => [await put('/shop.closed'), await request('/shop.closed/_close', { method: 'POST' })],
      mend: () => request('/shop.closed/_open', { method: 'POST' }),
    },
    'read-only': {
      code: 'cluster_block_exception',
      close: () => put('/shop.read-only', { settings: { 'index.blocks.read_only': true } }),
      mend: () => put('/shop.read-only/_settings', { 'index.blocks.read_only': false }),
    },
    full: {
      code: 'cluster_block_exception',
      close: () => put('/shop.full', { settings: { 'index.blocks.read_only_allow_delete': true } }),
      mend: () => put('/shop.full/_settings', { 'index.blocks.read_only_allow_delete': null }),
    },
    'no-write-index': {
      code: 'illegal_argument_exception',
      close: () => put('/one', { aliases: { 'shop.no-write-index': { is_write_index: false } } }),
      mend: () => put('/_aliases', { actions: [{ add: { index: 'one', alias: 'shop.no-write-index', is_write_index: true } }] }, 'POST'),
    },
    several: {
      code: 'illegal_argument_exception',
      close: async () => [await put('/two', { aliases: { 'shop.several': {} } }), await put('/three', { aliases: { 'shop.several': {} } })],
      mend: () => put('/_aliases', { actions: [{ remove: { index: 'three', alias: 'shop.several' } }] }, 'POST'),
    },
    'no-shard': {
      code: 'unavailable_shards_exception',
      close: () => put('/shop.no-shard?wait_for_active_shards=0', { settings: { 'index.routing.allocation.require._name': 'nobody' } }),
      mend: () => put('/shop.no-shard/_settings', { 'index.routing.allocation.require._name': null }),
    },
    absent: {
      code: 'index_not_found_exception',
      close: () => cluster({ 'action.auto_create_index': '-shop.absent,+*' }),
      mend: () => put('/shop.absent'),
    },
    // Last: no other index can be made any more.
    'one-too-many': {
      code: 'validation_exception',
      close: () => cluster({ 'cluster.max_shards_per_node': 1 }),
      mend: () => cluster({ 'cluster.max_shards_per_node': null }),
    },
  };

  test('each waits alone and says why, a thousand changes of another pass, and when mended everything is there', async () => {
    const each = new ElasticsearchTarget({ url: es.url, ...options, requestTimeoutMs: 2_000 });
    const run = new LanesRun(each);
    const good = Array.from({ length: 1000 }, (_, n) => upsert('healthy', `h${n}`, 1, raw({ _id: `h${n}`, n })));
    await put('/shop.healthy', { settings: { number_of_replicas: 0 } });
    for (const { close } of Object.values(closedBy)) await close();
    try {
      const bad = new Map(Object.keys(closedBy).map((name) => [name, fifty(name)]));
      const fed = [...bad.values()].map((changes) => run.feed(changes));
      await run.feed(good);
      await waitFor(() => run.ended(namespace('healthy')).length, { describe: 'the healthy changes', until: (count) => count === 1000 });
      await waitFor(() => run.waiting, {
        describe: 'places that wait',
        until: (waiting) => waiting.length === bad.size,
      });
      expect(run.waiting).toEqual(
        Object.entries(closedBy)
          .map(([name, { code }]) => `${name} ${code}`)
          .sort(),
      );
      for (const name of bad.keys()) expect(run.ended(namespace(name)), name).toEqual([]);
      // The limit first: it keeps an index from being opened, too.
      for (const { mend } of Object.values(closedBy).reverse()) await mend();
      await Promise.all(fed);
      await waitFor(() => run.lanes.buffered.count, { describe: 'what waited', until: (count) => count === 0, timeoutMs: 120_000 });
      for (const [name, changes] of [...bad, ['healthy', good] as const]) expect(await idsIn(name), name).toEqual(idsOf(changes).sort());
      expect(run.deadLetters).toEqual([]);
      expect(run.waiting).toEqual([]);
    } finally {
      await cluster({ 'action.auto_create_index': null, 'cluster.max_shards_per_node': null });
      await run.end();
      await each.close();
    }
  });

  test('an index that takes documents refuses some: these are the documents’ fault', async () => {
    await put('/shop.unfit', { mappings: { properties: { n: { type: 'long' }, tag: { type: 'keyword' } } } });
    const results = await apply(
      upsert('unfit', 1, 1, raw({ _id: 1, n: 1 })),
      upsert('unfit', 2, 1, raw({ _id: 2, n: 'text' })),
      upsert('unfit', 3, 1, raw({ _id: 3, tag: 'x'.repeat(40_000) })),
    );
    expect(results).toMatchObject([APPLIED, { status: 'rejected', retriable: false }, { status: 'rejected', retriable: false }]);
    expect(results.filter((result) => 'scope' in result)).toEqual([]);
  });

  test('an alias that cannot be made holds up its namespace alone', async () => {
    const each = new ElasticsearchTarget({ url: es.url, ...options, aliasSuffix: '-v1' });
    await put('/shop.taken');
    const results = await each.applyBatch(
      [upsert('taken', 1, 1, raw({ _id: 1 })), upsert('free', 1, 1, raw({ _id: 1 })), remove('taken', 2, 1)],
      never,
    );
    const waits = { status: 'rejected', code: 'TW1344', retriable: true, scope: 'place' };
    expect(results).toMatchObject([waits, APPLIED, waits]);
    await each.close();
  });

  test('a pipeline that is removed holds up the documents, and none is accused', async () => {
    await put('/_ingest/pipeline/short-lived', { processors: [] });
    const each = new ElasticsearchTarget({ url: es.url, ...options, pipeline: 'short-lived' });
    expect(await each.applyBatch([upsert('piped', 1, 1, raw({ _id: 1 }))], never)).toEqual([APPLIED]);
    await request('/_ingest/pipeline/short-lived', { method: 'DELETE' });
    expect(await each.applyBatch([upsert('piped', 2, 1, raw({ _id: 2 }))], never)).toMatchObject([{ code: 'TW1343', scope: 'place' }]);
    await each.close();
  });

  test.each<[string, OwnAnswer]>([
    ['404 of a proxy', { status: 404, body: '<html>no such page</html>' }],
    ['a login page', { status: 200, body: '<html>Sign in</html>' }],
    ['a redirect', { status: 302, headers: { location: '/login' }, body: '' }],
    ['JSON of another service', { status: 200, headers: { 'content-type': 'application/json' }, body: '{"ok":true}' }],
    [
      'JSON without items, under the product’s name',
      { status: 200, headers: { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' }, body: '{"errors":false}' },
    ],
    [
      'the answer to another request',
      {
        status: 200,
        headers: { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' },
        body: '{"errors":false,"items":[{"index":{"_id":"nobody","status":200}}]}',
      },
    ],
    ['403 of a firewall', { status: 403, body: 'blocked' }],
    ['503 of a load balancer', { status: 503, body: 'no backend' }],
  ])('%s is no answer of Elasticsearch: nothing counts, and everything arrives afterwards', async (name, answer) => {
    await using proxy = await AnsweringProxy.start(es.port);
    const each = new ElasticsearchTarget({ url: `http://127.0.0.1:${proxy.port}`, ...options });
    const run = new LanesRun(each);
    const collection = `behind-${name.toLowerCase().replace(/[^a-z0-9]/g, '-')}`;
    const changes = fifty(collection);
    proxy.answer = answer;
    const fed = run.feed(changes);
    await waitFor(() => proxy.answered, { describe: 'some attempts', until: (count) => count > 8 });
    expect(run.ended(namespace(collection))).toEqual([]);
    proxy.answer = undefined;
    await fed;
    await waitFor(() => run.lanes.buffered.count, { describe: 'all of it', until: (count) => count === 0 });
    expect(run.deadLetters).toEqual([]);
    expect(await idsIn(collection)).toEqual(idsOf(changes).sort());
    await run.end();
    await each.close();
  });
});

describe('the three shapes of 429', () => {
  // Many batches at once, against a node that can hardly take one: each must end applied, sooner or later.
  // So large that one of them passes alone, and all at once do not.
  const SIZES: Record<RejectionKind, number> = { items: 50, request: 8, 'circuit-breaker': 3 };

  test.each<RejectionKind>(['items', 'request', 'circuit-breaker'])('%s: nothing is lost', async (kind) => {
    await es.forceRejections(kind);
    const collection = `rejected-${kind}`;
    let retried = 0;
    const text = 'x'.repeat(200);
    const batches = Array.from({ length: 40 }, (_, batch) =>
      Array.from({ length: SIZES[kind] }, (_, index) => {
        const id = `${batch}-${index}`;
        return new TestDelivery(upsert(collection, id, 1, raw({ _id: id, text })));
      }),
    );
    const hooks = {
      onRequest: () => undefined,
      onRetry: () => {
        retried += 1;
      },
      onRejected: ({ change: refused }: Delivery, { reason }: { reason: string }) => {
        throw new Error(`${refused.key}: ${reason}`);
      },
    };
    const signals = () => ({ giveUp: new AbortController().signal, cut: new AbortController().signal });
    await Promise.all(batches.map((batch) => applyBatch(target, batch, { minMs: 5, maxMs: 200 }, hooks, signals())));
    await es.endRejections();
    expect(retried).toBeGreaterThan(0);
    for (const delivery of batches.flat()) expect(delivery.outcomes).toEqual(['applied']);
    expect(await count(collection)).toBe(batches.flat().length);
  });
});

describe('connecting', () => {
  test('a server that comes up meanwhile is waited for', async () => {
    await es.kill9();
    const each = new ElasticsearchTarget({ url: es.url, connectTimeoutMs: 120_000, requestTimeoutMs: 1000 });
    const connected = each.connect(never);
    await es.start();
    await connected;
    await each.close();
  });

  test('a request to a node that does not answer ends with its timeout', async () => {
    const each = new ElasticsearchTarget({ url: es.url, connectTimeoutMs: 1000, requestTimeoutMs: 500 });
    await es.pause();
    await expect(each.applyBatch([upsert('paused', 1, 1, raw({ _id: 1 }))], never)).rejects.toMatchObject({ code: 'TW1301' });
    await es.resume();
    await each.close();
  });

  test.each(['127.0.0.1:9200', 'mongodb://127.0.0.1:9200', 'nonsense'])('the URL %s is malformed', (url) => {
    expect(() => new ElasticsearchTarget({ url, ...options })).toThrow(expect.objectContaining({ code: 'TW1308' }));
  });
});
