// What a user of mongo-connector has, a config.json or a command line, drives a sync from MongoDB through Kafka into Elasticsearch.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PipelineProcess, readIndex, waitFor } from '@tailwater/devstack';
import type { Db } from 'mongodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newestMajorityPosition } from '#producer/source/oplog/oplog-window.js';
import { PipelineWorld } from '#test/support/pipeline-world.js';
import { runCommand } from '#test/support/run-command.js';

const EXAMPLE = readFileSync(new URL('../fixtures/mongo-connector/config.json', import.meta.url), 'utf8');

let world: PipelineWorld;
let directory: string;
let shop: Db;
const processes: PipelineProcess[] = [];

beforeAll(async () => {
  world = await PipelineWorld.start({ elasticsearch: true });
});
beforeEach(async () => {
  await world.reset();
  shop = (await world.source.client()).db('shop');
  directory = mkdtempSync(join(tmpdir(), 'tailwater-mongo-connector-'));
});
afterEach(async () => {
  await Promise.all(processes.splice(0).map((each) => each.stop()));
  rmSync(directory, { recursive: true });
});
afterAll(() => world?.[Symbol.asyncDispose]());

const hostOf = (url: string): string => new URL(url).host;
const kafka = (): string[] => ['--kafka', world.kafka.brokers.join(','), '--prefix', world.prefix];

/** The published example; nothing but addresses and directories is changed. */
function writeExample(): string {
  const text = EXAMPLE.replace('localhost:27017', hostOf(world.source.uri))
    .replace('127.0.0.1:9200', hostOf(world.elasticsearch.url))
    .replaceAll('/var/log/mongo-connector', directory);
  const file = join(directory, 'config.json');
  writeFileSync(file, text);
  return file;
}

async function start(kind: 'producer' | 'consumer', ...args: string[]): Promise<void> {
  processes.push(await PipelineProcess.start(kind, [...args, ...kafka()]));
}

const numbered = (from: number, count: number) =>
  Array.from({ length: count }, (_, n) => ({ _id: (from + n) as never, n, name: `no ${n}` }));

describe('the published config.json', () => {
  it('drives both commands as it is: copies, follows, and logs where it says', async () => {
    await shop.collection('orders').insertMany(numbered(0, 500));
    const config = writeExample();
    await Promise.all([start('producer', '-c', config), start('consumer', '-c', config)]);
    expect(await world.untilElasticsearchEquals('orders')).toMatchObject({ compared: 500 });
    await shop.collection('orders').updateMany({ n: { $lt: 50 } }, { $set: { changed: true } });
    await shop.collection('orders').deleteMany({ n: { $gte: 450 } });
    await shop.collection('customers').insertMany(numbered(0, 20));
    expect(await world.untilElasticsearchEquals('customers')).toMatchObject({ compared: 20 });
    expect(await world.untilElasticsearchEquals('orders')).toMatchObject({ compared: 450 });
    // A verbosity of 0 hides everything but errors, and what became of the keys.
    for (const name of ['producer', 'es']) {
      const lines = readFileSync(join(directory, `mongo-connector.${name}.log`), 'utf8')
        .trim()
        .split('\n');
      expect(lines.filter((line) => line.includes('The configuration is mongo-connector’s'))).toHaveLength(1);
    }
  });

  it('needs Kafka’s brokers beside it', async () => {
    const { code, stderr } = await runCommand('producer', ['start', '-c', writeExample()], { TAILWATER_KAFKA: '' });
    expect(code).toBe(2);
    expect(stderr).toContain('TW1063');
  });

  it('becomes a tailwater.yaml that drives both commands too', async () => {
    await shop.collection('orders').insertMany(numbered(0, 20));
    const yaml = join(directory, 'tailwater.yaml');
    expect(await runCommand('consumer', ['config', 'convert', writeExample(), '-o', yaml])).toMatchObject({ code: 0, stdout: '' });
    expect(await runCommand('consumer', ['config', 'convert', writeExample(), '-o', yaml])).toMatchObject({ code: 2 });
    await Promise.all([start('producer', '-c', yaml), start('consumer', '-c', yaml)]);
    expect(await world.untilElasticsearchEquals('orders')).toMatchObject({ compared: 20 });
  });
});

describe('mongo-connector’s command line', () => {
  it('begins without a copy where mongo-connector has stopped, and renames', async () => {
    await shop.collection('orders').insertMany(numbered(0, 10), { writeConcern: { w: 'majority' } });
    const place = (await newestMajorityPosition(await world.source.client())).version;
    // Written while neither of them runs: the gap of a cut-over.
    await shop.collection('orders').insertMany(numbered(100, 10));
    const file = join(directory, 'oplog.timestamp');
    writeFileSync(file, `["${world.source.replicaSet}", ${place}]`);
    const [address, target] = [hostOf(world.source.uri), hostOf(world.elasticsearch.url)];
    await Promise.all([
      start('producer', '-m', address, '-o', file, '--no-dump', '-n', 'shop.orders', '-g', 'shop.moved', '-v', '--stdout'),
      start('consumer', '-d', 'elastic2_doc_manager', '-t', target, '-n', 'shop.orders', '-g', 'shop.moved', '--auto-commit-interval', '0'),
    ]);
    await shop.collection('orders').insertMany(numbered(200, 10));
    const ids = [...numbered(100, 10), ...numbered(200, 10)].map(({ _id }) => String(_id));
    const index = await waitFor(() => readIndex(world.elasticsearch.url, 'shop.moved'), {
      until: (documents) => ids.every((id) => documents.has(id)),
      describe: 'the documents of the gap and those of now',
      timeoutMs: 60_000,
    });
    // The entry at the place itself is read again, which may be the last of those that mongo-connector had.
    expect([...index.keys()].filter((id) => id !== '9').sort()).toEqual(ids.sort());
  });
});
