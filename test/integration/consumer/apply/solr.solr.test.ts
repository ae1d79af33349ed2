// What only Solr has, against a real standalone server: schemas, cores, chains, commits. What every target does: test/contract/target.
import { type Solr, startSolr, waitFor } from '@tailwater/devstack';
import { BSON, type Document, Int32 } from 'bson';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApplyHooks, applyBatch } from '../../../../packages/consumer/src/apply/apply-batch.js';
import { type SolrOptions, SolrTarget } from '../../../../packages/consumer/src/apply/solr/solr.js';
import type { Change } from '../../../../packages/consumer/src/change.js';
import { change, ORDERS, TestDelivery } from '../../../unit/consumer/support/changes.js';

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

  test('a second namespace in one core is refused until somebody says that ids differ', () => {
    const target = targetAt('/one');
    expect(target.nameOf(ORDERS)).toBe(target.nameOf(ORDERS));
    expect(() => target.nameOf(CUSTOMERS)).toThrow(expect.objectContaining({ code: 'TW1320' }));
    const plain = targetAt('/one', { ids: 'plain' });
    expect(plain.nameOf(ORDERS)).not.toBe(plain.nameOf(CUSTOMERS));
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
    // Solr refuses the second document, so the schema is read again before it is old.
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

  test('the unique key and the version field are checked at the start', async () => {
    await expect(targetAt('/one', { uniqueKey: '_id' }).connect(never)).rejects.toMatchObject({ code: 'TW1323' });
    await targetAt('/one', { uniqueKey: 'id' }).connect(never);
    await expect(targetAt('/one', { versionField: 'version' }).connect(never)).rejects.toMatchObject({ code: 'TW1324' });
  });
});

describe('updates', () => {
  test('a chain that is not there is noticed at the start, not blamed on the documents', async () => {
    await expect(targetAt('/one', { updateChain: 'absent' }).connect(never)).rejects.toMatchObject({ code: 'TW1322', retriable: false });
  });

  test('a tolerant chain keeps the others, and the refused are told apart', async () => {
    await solr.create('tolerant');
    const target = targetAt('/tolerant', { updateChain: 'tolerant' });
    const changes = Array.from({ length: 20 }, (_, id) => upsert(id, { count_l: id % 7 === 3 ? 'many' : id }));
    const results = await target.applyBatch(changes, never);
    expect(results).toMatchObject(
      changes.map((_, id) =>
        id % 7 === 3 ? { status: 'rejected', code: '400', reason: expect.stringContaining('count_l'), retriable: false } : APPLIED,
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
    const policy = { minMs: 10, maxMs: 50, suspectedForMs: 500 };
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
    const applying = applyBatch(target, all, { ...policy, suspectedForMs: 0 }, hooks, { giveUp: stop.signal, cut: stop.signal });
    await waitFor(() => retried.length, { describe: 'many attempts', until: (count) => count > 12, timeoutMs: 60_000 });
    stop.abort();
    await applying;
    expect(outcomes(all)).toEqual(all.map(() => 'returned'));

    expect(await target.takesWriteBeside(upsert(1, {}), never)).toBe(true);
    await target.applyBatch([upsert('{tailwater}', { a_s: 'kept' })], never);
    expect(await target.takesWriteBeside(upsert('{tailwater}', {}), never)).toBe(true);
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
