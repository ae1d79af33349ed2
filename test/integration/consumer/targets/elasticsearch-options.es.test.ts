// What the user may ask of Elasticsearch beside a URL, against a real node.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Elasticsearch, freePort, startElasticsearch, waitFor } from '@tailwater/devstack';
import { compileFieldRules, readTlsFiles, type TailwaterError, type TlsMaterial } from '@tailwater/runtime';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Change } from '#consumer/changes/change.js';
import type { TargetAccess } from '#consumer/targets/access.js';
import { type ElasticsearchOptions, ElasticsearchTarget } from '#consumer/targets/elasticsearch/elasticsearch.js';
import { elasticsearchSettings } from '#consumer/targets/elasticsearch/options.js';
import { Destinations } from '#consumer/transform/destinations.js';
import { createTransform } from '#consumer/transform/transform.js';
import { BadTlsServers } from '#test/support/bad-tls-servers.js';
import { Certificates } from '#test/support/certificates.js';
import { TlsProxy } from '#test/support/tls-proxy.js';
import { change } from '#test/unit/consumer/support/changes.js';
import { raw } from '../support/bson-zoo.js';

let es: Elasticsearch;
let directory: string;
const targets: ElasticsearchTarget[] = [];
const never = new AbortController().signal;
const APPLIED = { status: 'applied' };

beforeAll(async () => {
  es = await startElasticsearch();
  directory = await mkdtemp(join(tmpdir(), 'es-options-'));
  // Nothing is searchable by itself, so that whoever asks for a refresh shows.
  const body = { index_patterns: ['*'], template: { settings: { refresh_interval: -1, number_of_replicas: 0 } } };
  await request('PUT', '/_index_template/quiet', body);
});

afterEach(async () => {
  for (const target of targets.splice(0)) await target.close();
});

afterAll(async () => {
  await es?.stop();
  await rm(directory, { recursive: true });
});

function create(options: Partial<ElasticsearchOptions> = {}): ElasticsearchTarget {
  const target = new ElasticsearchTarget({ url: es.url, connectTimeoutMs: 5_000, requestTimeoutMs: 30_000, ...options });
  targets.push(target);
  return target;
}

async function connected(options: Partial<ElasticsearchOptions>): Promise<ElasticsearchTarget> {
  const target = create(options);
  await target.connect(never);
  return target;
}

const options = (given: object, access: TargetAccess = {}) =>
  elasticsearchSettings(
    {
      esApiKey: undefined,
      esCompression: false,
      esTemplate: [],
      esPipeline: undefined,
      esAttachmentField: 'content',
      esAliasSuffix: undefined,
      ...given,
    },
    access,
  );

const upsert = (collection: string, id: number, sequence = 1): Change =>
  change(id, sequence, { namespace: { database: 'opt', collection }, document: raw({ _id: id, sequence }) });
const remove = (collection: string, id: number, sequence: number): Change =>
  change(id, sequence, { namespace: { database: 'opt', collection }, kind: 'delete', op: 'delete', document: Buffer.alloc(0) });

interface Answer {
  readonly hits: { readonly hits: readonly { readonly _id: string }[] };
  readonly [index: string]: { readonly mappings?: { readonly properties: object }; readonly [name: string]: unknown };
}

async function request(method: string, path: string, body?: object): Promise<{ readonly status: number; readonly body: Answer }> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${es.url}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Answer };
}

const searchable = async (index: string): Promise<string[]> =>
  (await request('GET', `/${index}/_search`)).body.hits.hits.map(({ _id }) => _id).sort();

async function file(name: string, content: object): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, JSON.stringify(content));
  return path;
}

describe('templates and pipelines', () => {
  test('an index is created as the template says', async () => {
    const body = { index_patterns: ['opt.typed'], priority: 5, template: { mappings: { properties: { sequence: { type: 'keyword' } } } } };
    const esTemplate = [await file('Typed.json', body)];
    const target = await connected(options({ esTemplate }));
    expect(await target.applyBatch([upsert('typed', 1)], never)).toEqual([APPLIED]);
    expect((await request('GET', '/opt.typed/_mapping')).body['opt.typed']?.mappings?.properties).toEqual({
      sequence: { type: 'keyword' },
    });
    expect((await request('GET', '/_index_template/tailwater-typed')).status).toBe(200);
    // Again, as at the next start.
    await connected(options({ esTemplate }));
  });

  test('a template that Elasticsearch does not know is refused with its reason', async () => {
    const esTemplate = [await file('bad.json', { index_patterns: ['x'], temlate: {} })];
    await expect(create(options({ esTemplate })).connect(never)).rejects.toMatchObject({
      code: 'TW1342',
      message: expect.stringContaining('temlate'),
    });
  });

  test('a pipeline has to be there, and takes the documents', async () => {
    await expect(create({ pipeline: 'p' }).connect(never)).rejects.toMatchObject({ code: 'TW1343', retriable: false });
    await request('PUT', '/_ingest/pipeline/p', { processors: [] });
    const target = await connected({ pipeline: 'p' });
    expect(await target.applyBatch([upsert('piped', 1), remove('piped', 2, 1)], never)).toEqual([APPLIED, APPLIED]);
    await request('DELETE', '/_ingest/pipeline/p');
    expect(await target.applyBatch([upsert('piped', 1)], never)).toMatchObject([{ code: 'TW1343', scope: 'place' }]);
  });
});

describe('aliases', () => {
  test('an index is created behind its alias, and writes follow the alias to another one', async () => {
    const target = await connected({ aliasSuffix: '-v1', autoCommitInterval: 0 });
    expect(await target.applyBatch([remove('seen', 9, 1), upsert('seen', 1)], never)).toEqual([APPLIED, APPLIED]);
    expect((await request('GET', '/_alias/opt.seen')).body).toEqual({
      'opt.seen-v1': { aliases: { 'opt.seen': { is_write_index: true } } },
    });
    await request('PUT', '/opt.seen-v2');
    await request('POST', '/_aliases', {
      actions: [{ remove: { index: 'opt.seen-v1', alias: 'opt.seen' } }, { add: { index: 'opt.seen-v2', alias: 'opt.seen' } }],
    });
    expect(await target.applyBatch([upsert('seen', 2)], never)).toEqual([APPLIED]);
    expect([await searchable('opt.seen-v1'), await searchable('opt.seen')]).toEqual([['1'], ['2']]);
  });

  test('an alias that somebody removed is made anew by the next attempt', async () => {
    const target = await connected({ aliasSuffix: '-v1' });
    await target.applyBatch([upsert('gone', 1)], never);
    await request('DELETE', '/opt.gone-v1/_alias/opt.gone');
    expect(await target.applyBatch([upsert('gone', 2)], never)).toMatchObject([{ status: 'rejected', retriable: true }]);
    expect(await target.applyBatch([upsert('gone', 2)], never)).toEqual([APPLIED]);
  });

  test('two consumers create one alias at once', async () => {
    const both = await Promise.all([connected({ aliasSuffix: '-v1' }), connected({ aliasSuffix: '-v1' })]);
    const results = await Promise.all(both.map((target, id) => target.applyBatch([upsert('both', id)], never)));
    expect(results).toEqual([[APPLIED], [APPLIED]]);
  });

  test('an index that has the name of the alias is no alias', async () => {
    await request('PUT', '/opt.taken');
    const target = await connected({ aliasSuffix: '-v1' });
    expect(await target.applyBatch([upsert('taken', 1)], never)).toMatchObject([{ code: 'TW1344', scope: 'place' }]);
  });
});

test('several namespaces merge into one index when that is asked for', async () => {
  const target = await connected({ autoCommitInterval: 0 });
  const merged = { database: 'opt', collection: 'merged' };
  const destinations = new Destinations(
    () => merged,
    (namespace) => target.nameOf(namespace),
    true,
  );
  const transform = createTransform({ destinations, fields: compileFieldRules({ excludeFields: ['opt.two:sequence'] }) });
  const changes = [upsert('one', 1), upsert('two', 2), remove('two', 3, 1)].map((each) => transform(each) as Change);
  expect(await target.applyBatch(changes, never)).toEqual([APPLIED, APPLIED, APPLIED]);
  const sources = [1, 2].map(async (id) => (await request('GET', `/opt.merged/_source/${id}`)).body);
  expect(await Promise.all(sources)).toEqual([{ sequence: 1 }, {}]);
  expect(await searchable('opt.merged')).toEqual(['1', '2']);
});

describe('what was written becomes searchable', () => {
  test('when the index says so, with each batch, or soon after', async () => {
    const [byIndex, atOnce, soon] = [
      await connected({}),
      await connected({ autoCommitInterval: 0 }),
      await connected({ autoCommitInterval: 0.2 }),
    ];
    await byIndex.applyBatch([upsert('quiet', 1)], never);
    expect(await searchable('opt.quiet')).toEqual([]);
    await atOnce.applyBatch([upsert('quiet', 2)], never);
    expect(await searchable('opt.quiet')).toEqual(['1', '2']);
    await soon.applyBatch([upsert('quiet', 3)], never);
    await waitFor(() => searchable('opt.quiet'), { describe: 'three documents', until: (ids) => ids.join() === '1,2,3' });
  });

  test('at the latest when the target is closed', async () => {
    const target = await connected({ autoCommitInterval: 3600 });
    await target.applyBatch([upsert('closing', 1)], never);
    await target.close();
    targets.splice(0);
    expect(await searchable('opt.closing')).toEqual(['1']);
  });
});

describe('connections', () => {
  test('TLS by a CA of one’s own, an API key or a user, and gzip', async () => {
    const basic = `Basic ${Buffer.from('feed:sec:ret').toString('base64')}`;
    await using proxy = await TlsProxy.start(es.port, ['ApiKey a2V5', basic]);
    const tls = { ca: await readFile(proxy.caFile, 'utf8') };
    const at = (given: object, access: TargetAccess = {}) => ({ url: proxy.url, ...options(given, { tls, ...access }) });
    const byKey = await connected(at({ esApiKey: 'a2V5', esCompression: true }));
    expect(await byKey.applyBatch([upsert('secure', 1)], never)).toEqual([APPLIED]);
    expect(proxy.headers.at(-1)).toMatchObject({ authorization: 'ApiKey a2V5', 'content-encoding': 'gzip' });
    const byUser = await connected(at({}, { user: { name: 'feed', password: 'sec:ret' } }));
    expect(await byUser.applyBatch([upsert('secure', 2)], never)).toEqual([APPLIED]);
    expect(proxy.headers.at(-1)).toMatchObject({ authorization: basic });
    expect(proxy.headers.at(-1)).not.toHaveProperty('content-encoding');
    await connected({ ...options({}, { tls }), url: proxy.url.replace('://', '://feed:sec%3Aret@') });
  });

  test('that are refused say what is wrong', async () => {
    await using authority = await Certificates.create();
    await using stranger = await Certificates.create();
    await using bad = await BadTlsServers.start(authority, stranger);
    await using proxy = await TlsProxy.start(es.port, ['ApiKey a2V5'], { authority, clientsMust: true, powerless: ['ApiKey bm8='] });
    const client = readTlsFiles({ flag: '--target-tls', ca: authority.ca, ...(await authority.issue('consumer')) });
    const foreign = readTlsFiles({ flag: '--target-tls', ca: authority.ca, ...(await stranger.issue('consumer')) });
    const at = (url: string, tls: TlsMaterial | undefined, esApiKey = 'a2V5') => ({ url, ...options({ esApiKey }, tls && { tls }) });
    await connected(at(proxy.url, client));
    const local = (port: number): string => `https://127.0.0.1:${port}`;
    const cases: [Partial<ElasticsearchOptions>, RegExp][] = [
      [at(proxy.url, client, 'd3Jvbmc='), /^TW1302 false/],
      [at(proxy.url, undefined), /^TW1312 false .*not trusted here/],
      [at(proxy.url, { ca: client?.ca ?? '' }), /^TW1312 false .*(?:asks for a client certificate|refused this client)/],
      // This proxy closes the connection to a client that it does not trust, and gives no reason: the hint does.
      [at(proxy.url, foreign), /^TW1301 true .*--target-tls-cert/],
      [at(local(bad.expired), client), /^TW1312 false .*expired/],
      [at(local(bad.otherCa), client), /^TW1312 false .*not trusted here/],
      [at(local(bad.otherHost), client), /^TW1312 false .*other host names/],
      [at(es.url.replace('http:', 'https:'), client), /^TW1312 false .*does not speak TLS/],
    ];
    const refused = cases.map(([given]) =>
      create(given)
        .connect(never)
        .then(
          () => 'let in',
          ({ code, message, hint, retriable }: TailwaterError) => `${code} ${retriable} ${message} ${hint}`,
        ),
    );
    for (const [index, outcome] of (await Promise.all(refused)).entries()) {
      expect(outcome).toMatch(cases[index]?.[1] ?? /./);
    }
    const powerless = await connected(at(proxy.url, client, 'bm8='));
    await expect(powerless.applyBatch([upsert('secure', 3)], never)).rejects.toMatchObject({ code: 'TW1303', retriable: false });
  });

  test('of several nodes the next attempt takes another one', async () => {
    const target = create({ url: `http://127.0.0.1:${await freePort()},${es.url}` });
    await target.connect(never);
    const outcomes: boolean[] = [];
    for (let sequence = 1; sequence <= 6; sequence++) {
      const applied = await target.applyBatch([upsert('nodes', 1, sequence)], never).then(
        () => true,
        () => false,
      );
      outcomes.push(applied);
    }
    // The dead node is asked once at most in a row, and more and more seldom.
    expect(outcomes.join()).not.toContain('false,false');
    expect(outcomes).toContain(true);
  });
});
