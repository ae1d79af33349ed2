// The files of a bucket, from MongoDB's own driver through the real commands to all targets; and a kill between chunks and document.
import { randomBytes } from 'node:crypto';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PipelineProcess, type Solr, startSolr, waitFor } from '@tailwater/devstack';
import { recordKeyOf } from '@tailwater/schema';
import { type Document, GridFSBucket, type MongoClient, ObjectId } from 'mongodb';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { documentId } from '#consumer/targets/document-id.js';
import { GateProxy } from '#test/support/gate-proxy.js';
import { PipelineWorld } from '#test/support/pipeline-world.js';
import { runCommand } from '#test/support/run-command.js';

const LIMIT = 100_000;
const GRIDFS = ['--gridfs', 'shop.fs'];
const TIMEOUT = { timeoutMs: 120_000, intervalMs: 300 };

let world: PipelineWorld;
let solr: Solr;
let extractor: Server;

beforeAll(async () => {
  [world, solr] = await Promise.all([PipelineWorld.start({ elasticsearch: true, mongoTarget: true }), startSolr()]);
  for (const core of ['plain', 'texts']) await solr.create(core);
  extractor = await startExtractor(solr.port);
});
beforeEach(() => world.reset());
afterAll(async () => {
  extractor?.close();
  extractor?.closeAllConnections();
  await Promise.all([world?.[Symbol.asyncDispose](), solr?.stop()]);
});

/** Answers for Solr's extraction module, which is not among the published jars; everything else goes on to Solr itself. */
async function startExtractor(port: number): Promise<Server> {
  const server = createServer((incoming, outgoing) => {
    if (incoming.url?.includes('/update/extract?') === true) {
      const parts: Buffer[] = [];
      incoming.on('data', (part: Buffer) => parts.push(part));
      incoming.on('end', () => {
        outgoing.writeHead(200, { 'content-type': 'application/json' });
        const text = `${incoming.headers['content-type']} ${Buffer.concat(parts).toString('hex')}`;
        outgoing.end(JSON.stringify({ responseHeader: { status: 0 }, '': text, null_metadata: ['stream_size', ['1']] }));
      });
      return;
    }
    const onward = request(
      { host: '127.0.0.1', port, method: incoming.method, path: incoming.url, headers: incoming.headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

async function upload(client: MongoClient, id: unknown, content: Buffer, filename = 'a.bin', chunkSizeBytes = 10_000): Promise<void> {
  const bucket = new GridFSBucket(client.db('shop'), { bucketName: 'fs', chunkSizeBytes });
  const stream = bucket.openUploadStreamWithId(id as ObjectId, filename, { metadata: { contentType: 'text/plain', by: 'test' } });
  await new Promise<void>((resolve, reject) => stream.on('finish', resolve).on('error', reject).end(content));
}

/** Every file by its key: its document, and its content, if it has one. */
async function bucketOf(client: MongoClient): Promise<Map<string, { document: Document; content: string }>> {
  const files = new Map<string, { document: Document; content: string }>();
  for (const document of await client.db('shop').collection('fs.files').find().toArray()) {
    const chunks = await client
      .db('shop')
      .collection('fs.chunks')
      .find({ files_id: document._id }, { sort: { n: 1 } })
      .toArray();
    const content = Buffer.concat(chunks.map(({ data }) => Buffer.from((data as { buffer: Uint8Array }).buffer)));
    files.set(recordKeyOf(document._id), { document, content: content.toString('base64') });
  }
  return files;
}

const isSmall = ({ document }: { document: Document }): boolean => Number(document['length']) <= LIMIT;

/** What is at a search engine: its contents or texts by id. */
async function indexed(): Promise<Map<string, unknown>> {
  await fetch(`${world.elasticsearch.url}/shop.fs.files/_refresh`, { method: 'POST' });
  const answer = (await (await fetch(`${world.elasticsearch.url}/shop.fs.files/_search?size=1000`)).json()) as {
    hits?: { hits: { _id: string; _source: Document }[] };
  };
  return new Map((answer.hits?.hits ?? []).map(({ _id, _source }) => [_id, { content: _source['data'], filename: _source['filename'] }]));
}

async function inSolr(core: string): Promise<Map<string, unknown>> {
  const answer = (await (await fetch(`${solr.url}/${core}/select?q=*:*&rows=1000&wt=json`)).json()) as { response: { docs: Document[] } };
  return new Map(answer.response.docs.map(({ id, content_t, filename }) => [id as string, { content: content_t, filename }]));
}

async function solrConsumer(url: string, name: string): Promise<PipelineProcess> {
  const common = [
    '--target',
    'solr',
    '--target-url',
    url,
    '--name',
    name,
    '--kafka',
    world.kafka.brokers.join(','),
    '--prefix',
    world.prefix,
  ];
  const options = ['--solr-schema', 'add', '--solr-content-field', 'content_t', '--auto-commit-interval', '0'];
  return PipelineProcess.start('consumer', [...common, ...options]);
}

async function untilEqual(actual: () => Promise<Map<string, unknown>>, expected: () => Promise<Map<string, unknown>>): Promise<void> {
  const state = async () => ({ actual: sorted(await actual()), expected: sorted(await expected()) });
  const last = await waitFor(state, {
    until: (each) => JSON.stringify(each.actual) === JSON.stringify(each.expected),
    describe: (each) => `equality, with ${each?.actual.map(([key]) => key)} for ${each?.expected.map(([key]) => key)}`,
    ...TIMEOUT,
  });
  expect(last.actual).toEqual(last.expected);
}

const sorted = (map: Map<string, unknown>): [string, unknown][] => [...map].sort(([a], [b]) => (a < b ? -1 : 1));

describe('the files of a bucket', () => {
  it('reach a bucket, an index and a core with their contents, and follow what becomes of them', async () => {
    const source = await world.source.client();
    const target = await world.target.client();
    const bucket = new GridFSBucket(source.db('shop'), { bucketName: 'fs' });
    await upload(source, new ObjectId(), Buffer.alloc(0));
    await upload(source, 'under one chunk', Buffer.from('hello'));
    await upload(source, { b: 1, a: 2 }, randomBytes(34_567));
    await upload(source, 'over the limit', randomBytes(LIMIT + 1));
    await upload(source, 'deleted', randomBytes(20_000));
    await upload(source, 'replaced', randomBytes(20_000));
    await upload(source, 'renamed', randomBytes(20_000));
    await fetch(`${world.elasticsearch.url}/_ingest/pipeline/attachments`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ description: 'an attachment processor would stand here', processors: [] }),
    });
    await world.producer(...GRIDFS, '--gridfs-max-bytes', String(LIMIT));
    await Promise.all([
      world.mongoConsumer(...GRIDFS),
      world.elasticsearchConsumer('--es-pipeline', 'attachments', '--es-attachment-field', 'data'),
    ]);
    const plain = await solrConsumer(`${solr.url}/plain`, 'plain');
    const texts = await solrConsumer(`http://127.0.0.1:${(extractor.address() as AddressInfo).port}/solr/texts`, 'texts');
    try {
      const files = async () => [...(await bucketOf(source)).values()];
      const searchable = async (text: (file: { document: Document; content: string }) => unknown) =>
        new Map(
          (await files()).map((file): [string, unknown] => [
            documentId(recordKeyOf(file.document['_id'])),
            { content: isSmall(file) ? text(file) : undefined, filename: file.document['filename'] },
          ]),
        );
      const small = async () => new Map([...(await bucketOf(source))].filter(([, file]) => isSmall(file)));
      const textOf = ({ content }: { content: string }) =>
        content === '' ? undefined : `text/plain ${Buffer.from(content, 'base64').toString('hex')}`;
      const everywhere = async () => {
        await untilEqual(() => bucketOf(target), small);
        await untilEqual(indexed, () => searchable(({ content }) => content));
        await untilEqual(
          () => inSolr('plain'),
          () => searchable(() => undefined),
        );
        await untilEqual(
          () => inSolr('texts'),
          () => searchable(textOf),
        );
      };
      await everywhere();
      await bucket.delete('deleted' as never);
      await bucket.rename('renamed' as never, 'another.bin');
      await bucket.delete('replaced' as never);
      await upload(source, 'replaced', randomBytes(55_555));
      await upload(source, 7, randomBytes(LIMIT));
      await everywhere();
      // Nothing is left of what went.
      const ids = async () => (await target.db('shop').collection('fs.chunks').distinct('files_id')).map((id) => recordKeyOf(id)).sort();
      const withChunks = [...(await small())].filter(([, { content }]) => content !== '').map(([key]) => key);
      expect(await ids()).toEqual(withChunks.sort());
      const list = ['dead-letters', 'list', '--target', 'mongo', '--kafka', world.kafka.brokers.join(','), '--prefix', world.prefix];
      const isListed = ({ stdout }: { stdout: string }) => stdout.includes('TW1380') && stdout.includes('over the limit');
      await waitFor(() => runCommand('consumer', list), { until: isListed, describe: 'the letter of the large file', ...TIMEOUT });
      const { target: reported } = await plain.status<{ target: { dropped: { fields: number; fieldNames: string[] } } }>();
      expect(reported.dropped.fields).toBeGreaterThan(0);
      expect(reported.dropped.fieldNames).toContain('content_t');
    } finally {
      await Promise.all([plain.stop(), texts.stop()]);
    }
  });
});

describe('kill -9 of a consumer between the chunks and the document of a file', () => {
  it('leaves nothing that a reader sees, and the next start completes it', async () => {
    const source = await world.source.client();
    const target = await world.target.client();
    await upload(source, 'first', randomBytes(50_000));
    await world.producer(...GRIDFS);
    await using gate = await GateProxy.start(world.target.port);
    const consumer = await world.mongoConsumerThrough(`mongodb://127.0.0.1:${gate.port}/?directConnection=true`, ...GRIDFS);
    await untilEqual(
      () => bucketOf(target),
      () => bucketOf(source),
    );
    gate.close(Buffer.from('update\0\x09\0\0\0fs.files\0', 'latin1'));
    await upload(source, 'second', randomBytes(50_000));
    await waitFor(async () => gate.isHolding, { until: (isHolding) => isHolding, describe: 'the update of the document', ...TIMEOUT });
    const chunks = target.db('shop').collection('fs.chunks');
    expect(await chunks.countDocuments({ files_id: 'second' as never })).toBe(5);
    await consumer.kill9();
    expect([...(await bucketOf(target)).keys()]).toEqual(['"first"']);
    gate.open();
    await consumer.start();
    await untilEqual(
      () => bucketOf(target),
      () => bucketOf(source),
    );
    expect(await chunks.countDocuments()).toBe(10);
  });
});
