// What only Solr has, against a real standalone server: schemas, cores, chains, commits. What every target does: test/contract/target.
import { type Solr, startSolr, waitFor } from '@tailwater/devstack';
import type { Namespace } from '@tailwater/schema';
import { BSON, Decimal128, type Document, Double, Int32, Long } from 'bson';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyBatch } from '#consumer/apply/apply-batch.js';
import type { ApplyHooks } from '#consumer/apply/apply-hooks.js';
import type { Change } from '#consumer/changes/change.js';
import { type SolrOptions, SolrTarget } from '#consumer/targets/solr/solr.js';
import { AnsweringProxy, type OwnAnswer } from '#test/support/answering-proxy.js';
import { change, ORDERS, TestDelivery } from '#test/unit/consumer/support/changes.js';
import { LanesRun } from '../support/lanes-run.js';

const never = new AbortController().signal;
const APPLIED = { status: 'applied' };
const CUSTOMERS = { database: 'shop', collection: 'customers' };

let solr: Solr;
const open: SolrTarget[] = [];

beforeAll(async () => {
  solr = await startSolr();
  for (const core of ['one', 'shop.orders', 'shop.customers']) await solr.create(core);
});

afterAll(async () => {
  await Promise.all(open.map((target) => target.close()));
  await solr?.stop();
});

function targetAt(path: string, settings: Partial<SolrOptions> = {}): SolrTarget {
  const target = new SolrTarget({
    url: `${solr.url}${path}`,
    connectTimeoutMs: 500,
    requestTimeoutMs: 30_000,
    autoCommitInterval: 0,
    schema: 'drop',
    ids: undefined,
    updateChain: undefined,
    versionField: undefined,
    deleteVersionParameter: 'del_version',
    uniqueKey: undefined,
    ...settings,
  });
  open.push(target);
  return target;
}

let sequence = 0;
const upsert = (id: unknown, fields: Document, namespace = ORDERS): Change =>
  change(id, ++sequence, { namespace, document: Buffer.from(BSON.serialize({ _id: id, ...fields })) });

async function request(path: string, body?: object): Promise<string> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${solr.url}${path}`, body === undefined ? {} : post);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${text}`);
  return text;
}

/** The documents that a search finds, by id, without Solr's version. */
async function found(core: string): Promise<Record<string, Document>> {
  const answer = JSON.parse(await request(`/${core}/select?q=*:*&rows=1000&wt=json`)) as { response: { docs: Document[] } };
  return Object.fromEntries(answer.response.docs.map(({ id, _version_, ...fields }) => [id as string, fields]));
}

describe('what is refused', () => {
  const forty = (prefix: string, namespace = ORDERS) =>
    Array.from({ length: 40 }, (_, n) => upsert(`${prefix}${n}`, { a_s: String(n) }, namespace));
  const idsOf = (changes: readonly Change[]) => changes.map(({ key }) => JSON.parse(key) as string).sort();

  test('is a core that is missing, or not as asked: its namespace waits, others go on, and it goes on when mended', async () => {
    await solr.create('shop.healthy');
    const [absent, healthy] = ['absent', 'healthy'].map((collection) => ({ database: 'shop', collection })) as [Namespace, Namespace];
    const run = new LanesRun(targetAt(''));
    const waits = forty('w', absent);
    const passes = forty('p', healthy);
    await run.feed(waits.flatMap((each, index) => [each, passes[index] as Change]));
    await waitFor(() => run.ended(healthy).length, { describe: 'the healthy core', until: (count) => count === 40 });
    expect(run.waiting).toEqual(['absent TW1321']);
    await solr.create('shop.absent');
    await waitFor(() => run.lanes.buffered.count, { describe: 'what waited', until: (count) => count === 0 });
    for (const [core, changes] of [['shop.absent', waits] as const, ['shop.healthy', passes] as const])
      expect(Object.keys(await found(core)).sort()).toEqual(idsOf(changes));
    expect(run.deadLetters).toEqual([]);
    expect(run.failures).toEqual([]);
    await run.end();
  });

  test.each<[string, OwnAnswer]>([
    ['a login page', { status: 200, body: '<html>Sign in</html>' }],
    ['JSON of another service', { status: 200, headers: { 'content-type': 'application/json' }, body: '{"status":0}' }],
    ['a header that says otherwise', { status: 200, body: '{"responseHeader":{"status":500}}' }],
    ['a redirect', { status: 302, headers: { location: '/login' }, body: '' }],
    ['no content', { status: 204, body: '' }],
    ['404 of a proxy', { status: 404, body: '<html>no such page</html>' }],
    ['400 of a proxy', { status: 400, body: '<html>Bad Request</html>' }],
    ['403 of a firewall', { status: 403, body: 'blocked' }],
    ['503 of a load balancer', { status: 503, body: 'no backend' }],
  ])('%s is no answer of Solr: nothing counts as applied or refused, and everything arrives afterwards', async (name, answer) => {
    const core = `behind-${name.toLowerCase().replace(/[^a-z0-9]/g, '-')}`;
    await solr.create(core);
    await using proxy = await AnsweringProxy.start(solr.port);
    const run = new LanesRun(targetAt('', { url: `http://127.0.0.1:${proxy.port}/solr/${core}`, ids: 'plain' }));
    const changes = forty('b');
    proxy.answer = answer;
    const fed = run.feed(changes);
    await waitFor(() => proxy.answered, { describe: 'some attempts', until: (count) => count > 5 });
    expect(run.ended(ORDERS)).toEqual([]);
    proxy.answer = undefined;
    await fed;
    await waitFor(() => run.lanes.buffered.count, { describe: 'all of it', until: (count) => count === 0 });
    expect(Object.keys(await found(core)).sort()).toEqual(idsOf(changes));
    expect(run.deadLetters).toEqual([]);
    await run.end();
  });
});

describe('cores', () => {
  test('without a core in the URL, each namespace goes to the one of its name', async () => {
    const target = targetAt('');
    await target.connect(never);
    expect(await target.applyBatch([upsert(1, { a_s: 'x' }), upsert(1, { a_s: 'y' }, CUSTOMERS)], never)).toEqual([APPLIED, APPLIED]);
    expect(await found('shop.orders')).toEqual({ 1: { a_s: 'x' } });
    expect(await found('shop.customers')).toEqual({ 1: { a_s: 'y' } });
  });

  test('a core that is missing is worth another attempt, and taken when it is there', async () => {
    const target = targetAt('/later');
    await expect(target.connect(never)).rejects.toMatchObject({ code: 'TW1321', retriable: true });
    await solr.create('later');
    await waitFor(() => target.applyBatch([upsert(1, {})], never), { describe: 'the new core' });
    expect(Object.keys(await found('later'))).toEqual(['1']);
  });

  test('one core is one place, until somebody says that ids differ', () => {
    const target = targetAt('/one');
    expect(target.nameOf(ORDERS)).toBe(target.nameOf(CUSTOMERS));
    for (const ids of ['plain', 'namespaced'] as const) {
      const shared = targetAt('/one', { ids });
      expect(shared.nameOf(ORDERS)).not.toBe(shared.nameOf(CUSTOMERS));
    }
  });

  test('a URL without Solr in it is malformed', () => {
    expect(() => targetAt('').nameOf({ database: 'd', collection: 'x'.repeat(300) })).toThrow(expect.objectContaining({ code: 'TW1304' }));
    expect(() => targetAt('', { url: 'mongodb://127.0.0.1/solr' })).toThrow(expect.objectContaining({ code: 'TW1308' }));
  });
});

describe('the schema', () => {
  test('what it lacks is left out, counted and named; a field that is added later is taken', async () => {
    await solr.create('drop');
    const target = targetAt('/drop');
    await target.connect(never);
    await target.applyBatch([upsert(1, { name: 'x', id: 'y', title_s: 'z', list: [{ a: 1 }] })], never);
    expect(await found('drop')).toEqual({ 1: { title_s: 'z' } });
    expect({ count: target.droppedFields, names: target.droppedFieldNames }).toEqual({ count: 3, names: ['name', 'id', 'list.0.a'] });
    await request('/drop/schema', { 'add-field': { name: 'name', type: 'string' } });
    // A document is refused, so the schema is read again before it is old.
    await target.applyBatch([upsert(2, { count_l: 'many' }), upsert(3, { name: 'y' })], never);
    await target.applyBatch([upsert(1, { name: 'x' })], never);
    expect(await found('drop')).toEqual({ 1: { name: 'x' }, 3: { name: 'y' } });
  });

  test('a field that is taken away is left out from then on', async () => {
    await solr.create('away');
    await request('/away/schema', { 'add-field': { name: 'taken', type: 'string' } });
    const target = targetAt('/away');
    await target.applyBatch([upsert(1, { taken: 'x' })], never);
    await request('/away/schema', { 'delete-field': { name: 'taken' } });
    expect(await target.applyBatch([upsert(2, { taken: 'y', b_s: 'z' })], never)).toEqual([APPLIED]);
    expect((await found('away'))['2']).toEqual({ b_s: 'z' });
  });

  test('add puts into it what documents bring, also when several processes do so at once', async () => {
    await solr.create('add');
    const targets = [targetAt('/add', { schema: 'add' }), targetAt('/add', { schema: 'add' })];
    const fields = { name: 'Ann Lee', tags: ['a', 'b'], n: new Int32(5), price: 1.5, at: new Date(0), ok: true, deep: { er: 'x' } };
    const results = await Promise.all(targets.map((target, id) => target.applyBatch([upsert(id, { ...fields, list: [{ x: 1 }] })], never)));
    expect(results).toEqual([[APPLIED], [APPLIED]]);
    const expected = { name: 'Ann Lee', tags: ['a', 'b'], n: 5, price: 1.5, at: '1970-01-01T00:00:00Z', ok: true, 'deep.er': 'x' };
    await waitFor(() => found('add'), { until: (documents) => Object.keys(documents).length === 2 });
    expect(await found('add')).toEqual({ 0: expected, 1: expected });
    expect(targets.map(({ droppedFields }) => droppedFields)).toEqual([1, 1]);
  });

  test('add is not ended by names that a schema does not take, nor hurt', async () => {
    await solr.create('names');
    const warnings: object[] = [];
    const target = targetAt('/names', { schema: 'add', logger: { warn: (what: object) => warnings.push(what) } as never });
    const odd = ['a*b', '*', 'a\nb', 'a\tb', 'a\u0001b', ' '];
    const fields = Object.fromEntries([...odd, '', 'a b', 'größe', '{!x}'].map((name) => [name, 'v']));
    expect(await target.applyBatch([upsert(1, fields), upsert(2, { fine: 'x' })], never)).toEqual([APPLIED, APPLIED]);
    expect(await found('names')).toEqual({ 1: { 'a b': 'v', größe: 'v', '{!x}': 'v' }, 2: { fine: 'x' } });
    expect(target.droppedFields).toBe(odd.length + 1);
    // Solr can still read its schema.
    await request('/admin/cores?action=RELOAD&core=names');
    expect(await target.applyBatch([upsert(3, { also: 'x' })], never)).toEqual([APPLIED]);
    expect(warnings).toEqual([]);
  });

  test('several consumers that add overlapping fields at once all go on, and every field is there', async () => {
    await solr.create('race');
    const warnings: object[] = [];
    const logger = { warn: (what: object, text: string) => warnings.push([what, text]) } as never;
    const targets = Array.from({ length: 3 }, () => targetAt('/race', { schema: 'add', logger }));
    for (let round = 0; round < 2; round++) {
      const batches = targets.map((target, n) => {
        // Each has one field of its own, and shares others.
        const names = [`own${round}_${n}`, ...[0, 1].map((k) => `shared${round}_${(n + k) % 3}`)];
        return target.applyBatch([upsert(`${round} ${n}`, Object.fromEntries(names.map((name) => [name, 'v'])))], never);
      });
      expect(await Promise.all(batches)).toEqual(targets.map(() => [APPLIED]));
    }
    const documents = await waitFor(() => found('race'), { until: (each) => Object.keys(each).length === 6 });
    expect(warnings).toEqual([]);
    for (const fields of Object.values(documents)) expect(Object.keys(fields)).toHaveLength(3);
    expect(targets.map(({ droppedFields }) => droppedFields)).toEqual([0, 0, 0]);
  });

  test('add gives numbers a type that holds the next ones too, and refuses what does not fit after all', async () => {
    await solr.create('numbers');
    const target = targetAt('/numbers', { schema: 'add' });
    const big = Long.fromString('9007199254740993');
    await target.applyBatch([upsert(1, { cost: new Int32(1), id64: big, mixed: new Int32(1) })], never);
    const results = await target.applyBatch(
      [
        upsert(2, { cost: new Double(19.99), id64: new Int32(5) }),
        upsert(3, { cost: new Long(3_000_000_000), id64: Long.fromString('-9007199254740993') }),
        upsert(4, { cost: big }),
        upsert(5, { id64: new Double(0.5) }),
        upsert(6, { mixed: 'text' }),
      ],
      never,
    );
    expect(results.map((each) => (each.status === 'rejected' ? each.code : each.status))).toEqual([
      'applied',
      'applied',
      'TW1376',
      'TW1376',
      'TW1376',
    ]);
    for (const [id, expected] of [
      [1, '"cost":1.0,"id64":9007199254740993'],
      [2, '"cost":19.99,"id64":5'],
      [3, '"cost":3.0E9,"id64":-9007199254740993'],
    ] as const)
      expect(await request(`/numbers/get?id=${id}&fl=cost,id64&wt=json&indent=off`)).toBe(`{"doc":{${expected}}}`);
  });

  test('the unique key and the version field are checked at the start', async () => {
    await expect(targetAt('/one', { uniqueKey: '_id' }).connect(never)).rejects.toMatchObject({ code: 'TW1323' });
    await targetAt('/one', { uniqueKey: 'id' }).connect(never);
    for (const versionField of ['version', 'version_i', 'version_d'])
      await expect(targetAt('/one', { versionField }).connect(never)).rejects.toMatchObject({ code: 'TW1324' });
  });
});

describe('values', () => {
  /** Field, value, and the JSON that Solr gives back; without one, the document is refused. */
  const cases: readonly (readonly [string, unknown, string?])[] = [
    ['x_l', new Double(19.99)],
    ['x_l', new Double(3), '3'],
    ['x_l', Long.MAX_VALUE, '9223372036854775807'],
    ['x_l', new Double(1e18), '1000000000000000000'],
    ['x_l', new Double(2 ** 63)],
    ['x_l', Decimal128.fromString('12E+3'), '12000'],
    ['x_i', new Long(3_000_000_000)],
    ['x_i', new Int32(-2147483648), '-2147483648'],
    ['x_i', '42', '42'],
    ['x_i', '042'],
    ['x_i', true],
    ['x_is', [new Int32(1), new Int32(2)], '[1,2]'],
    ['x_is', [new Int32(1), new Double(2.5)]],
    ['x_is', [new Int32(1), 'two']],
    ['x_f', new Double(19.99), '19.99'],
    ['x_f', new Int32(16777217)],
    ['x_f', new Double(0.30000000000000004)],
    ['x_f', new Double(1e39)],
    ['x_d', Long.fromString('9007199254740993')],
    ['x_d', Long.fromString('9007199254740992'), '9.007199254740992E15'],
    ['x_d', Decimal128.fromString('19.990'), '19.99'],
    ['x_d', Decimal128.fromString('12345678901234567890.1')],
    ['x_d', '0x1p3'],
    ['x_d', new Double(Number.MAX_VALUE), '1.7976931348623157E308'],
    ['x_d', new Double(5e-324), '4.9E-324'],
    ['x_b', 'yes'],
    ['x_b', new Int32(1)],
    ['x_b', 'true', 'true'],
    ['x_bs', [true, false], '[true,false]'],
    ['x_dt', 'NOW'],
    ['x_dt', '2024-01-01T00:00:00Z+1DAY'],
    ['x_dt', '2024-01-01T24:00:00Z'],
    ['x_dt', '2024-01-01T00:00:00.123456Z'],
    ['x_dt', '2024-02-29T12:00:00.100Z', '"2024-02-29T12:00:00.100Z"'],
    ['x_dt', new Int32(5)],
    ['x_s', new Double(19.99), '"19.99"'],
    ['x_s', Long.MIN_VALUE, '"-9223372036854775808"'],
    ['x_s', new Date(0), '"1970-01-01T00:00:00.000Z"'],
    ['x_bin', 'hello'],
    ['x_l', new Date(0)],
  ];

  test('what a field holds exactly is given back, and what it would change is refused with the name of the field', async () => {
    await solr.create('values');
    const target = targetAt('/values');
    const results = await target.applyBatch(
      cases.map(([field, value], id) => upsert(id, { [field]: value })),
      never,
    );
    for (const [id, [field, value, expected]] of cases.entries()) {
      const what = `${field} ${String(value)}`;
      if (expected === undefined) {
        expect(results[id], what).toMatchObject({
          status: 'rejected',
          code: 'TW1376',
          retriable: false,
          reason: expect.stringContaining(field),
        });
        continue;
      }
      expect(results[id], what).toEqual(APPLIED);
      const answer = await request(`/values/get?id=${id}&wt=json&indent=off`);
      expect(answer.replace(/,"_version_":\d+/, ''), what).toBe(`{"doc":{"id":"${id}","${field}":${expected}}}`);
    }
  });

  test('a refused document is taken once the field holds it', async () => {
    await solr.create('wider');
    await request('/wider/schema', { 'add-field': { name: 'weight', type: 'plong' } });
    const target = targetAt('/wider');
    expect(await target.applyBatch([upsert(1, { weight: 19.99 })], never)).toMatchObject([{ code: 'TW1376' }]);
    await request('/wider/schema', { 'replace-field': { name: 'weight', type: 'pdouble' } });
    expect(await target.applyBatch([upsert(1, { weight: 19.99 })], never)).toEqual([APPLIED]);
    expect(await found('wider')).toEqual({ 1: { weight: 19.99 } });
  });

  test('bytes that are no document are refused alone', async () => {
    await solr.create('bytes');
    const good = upsert(1, { a_s: 'x' });
    const document = Buffer.from(upsert(2, { deep: { a_s: 'x' } }).document);
    document.writeInt32LE(0x7fff_fff0, document.indexOf('deep') + 5);
    const results = await targetAt('/bytes').applyBatch([good, { ...upsert(2, {}), document }, upsert(3, { a_s: 'y' })], never);
    expect(results).toMatchObject([APPLIED, { status: 'rejected', code: 'bson', retriable: false }, APPLIED]);
    expect(Object.keys(await found('bytes'))).toEqual(['1', '3']);
  });
});

describe('updates', () => {
  test('a chain that is not there is noticed at the start, not blamed on the documents', async () => {
    await expect(targetAt('/one', { updateChain: 'absent' }).connect(never)).rejects.toMatchObject({ code: 'TW1322', retriable: false });
  });

  test('a tolerant chain keeps the others, and the refused are told apart', async () => {
    await solr.create('tolerant');
    const target = targetAt('/tolerant', { updateChain: 'tolerant' });
    // A type that the schema has, and a value that it can hold: only Solr knows its limit.
    const changes = Array.from({ length: 20 }, (_, id) => upsert(id, { long_s: id % 7 === 3 ? 'x'.repeat(40_000) : String(id) }));
    const results = await target.applyBatch(changes, never);
    expect(results).toMatchObject(
      changes.map((_, id) =>
        id % 7 === 3 ? { status: 'rejected', code: '400', reason: expect.stringContaining('long_s'), retriable: false } : APPLIED,
      ),
    );
    expect(Object.keys(await found('tolerant'))).toHaveLength(17);
  });

  test('documents at which Solr fails are put aside when others show that it is well, and only then', async () => {
    await solr.create('failing');
    const target = targetAt('/failing', { updateChain: 'failing', autoCommitInterval: undefined });
    const refused: string[] = [];
    const retried: string[] = [];
    const hooks: ApplyHooks = {
      onRequest: () => undefined,
      onRetry: ({ code, reason }) => retried.push(`${code} ${reason}`),
      onRejected: ({ change: { key } }, { code, reason }) => {
        refused.push(`${key} ${code} ${reason}`);
        return 'deadLettered';
      },
    };
    const deliveries = (from: number, isPoison: (id: number) => boolean) =>
      Array.from(
        { length: 40 },
        (_, n) => new TestDelivery(upsert(from + n, isPoison(from + n) ? { poison_s: `x${from + n}` } : { a_s: 'y' })),
      );
    const policy = { minMs: 10, maxMs: 50, poisonAfterMs: 500 };
    const outcomes = (all: readonly TestDelivery[]) => all.map(({ outcomes: each }) => each.join());

    let next = 2000;
    const more = () => [new TestDelivery(upsert(++next, { a_s: 'z' }))];
    const batch = deliveries(0, (id) => id === 7 || id === 30);
    await applyBatch(target, batch, policy, { ...hooks, more }, { giveUp: never, cut: never });
    expect(outcomes(batch)).toEqual(batch.map((_, id) => (id === 7 || id === 30 ? 'deadLettered' : 'applied')));
    expect(refused.sort()).toEqual([
      expect.stringMatching(/^30 TW1390 .*defect at x30/),
      expect.stringMatching(/^7 TW1390 .*defect at x7/),
    ]);

    // The same when no document gets through: that is no document's fault.
    const stop = new AbortController();
    const all = deliveries(1000, () => true);
    retried.length = 0;
    const applying = applyBatch(target, all, { ...policy, poisonAfterMs: 0 }, hooks, { giveUp: stop.signal, cut: stop.signal });
    await waitFor(() => retried.length, { describe: 'many attempts', until: (count) => count > 12, timeoutMs: 60_000 });
    stop.abort();
    await applying;
    expect(outcomes(all)).toEqual(all.map(() => 'returned'));

    expect(await target.acceptsProbeWrite(upsert(1, {}), never)).toBe(true);
    await target.applyBatch([upsert('{tailwater}', { a_s: 'kept' })], never);
    expect(await target.acceptsProbeWrite(upsert('{tailwater}', {}), never)).toBe(true);
    await request('/failing/update?commit=true', {});
    expect((await found('failing'))[JSON.stringify('{tailwater}')]).toEqual({ a_s: 'kept' });
  });

  test('what is written can be searched after the interval, and not before somebody commits when there is none', async () => {
    await solr.create('commits');
    const later = targetAt('/commits', { autoCommitInterval: undefined });
    await later.applyBatch([upsert('uncommitted', {})], never);
    expect(await found('commits')).toEqual({});
    const soon = targetAt('/commits', { autoCommitInterval: 0.2 });
    await soon.applyBatch([upsert('within', {})], never);
    await waitFor(() => found('commits'), { until: (documents) => Object.keys(documents).length === 2 });
  });

  test('a request to a server that does not answer ends with its timeout', async () => {
    const target = targetAt('/one', { requestTimeoutMs: 500 });
    await target.connect(never);
    await solr.pause();
    await expect(target.applyBatch([upsert(1, {})], never)).rejects.toMatchObject({ code: 'TW1301', retriable: true });
    await solr.resume();
  });

  test('a request that is cut short fails with the reason of the signal', async () => {
    const cut = new AbortController();
    await solr.pause();
    const applied = targetAt('/one').applyBatch([upsert(1, {})], cut.signal);
    cut.abort(new Error('cut'));
    await expect(applied).rejects.toThrow('cut');
    await solr.resume();
  });
});
