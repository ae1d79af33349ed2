// The options of mongo-connector on the command line of a program of Tailwater’s.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { FOREIGN_OPTIONS, mongoConnector } from '@tailwater/mongo-connector';
import { type Command, configOptions, createCli, option, TailwaterError, text, toggle } from '@tailwater/runtime';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'tailwater-foreign-'));
afterAll(() => rmSync(directory, { recursive: true }));

function fileOf(name: string, content: object | string): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const { mongo, kafka, include, exclude, rename, snapshot, target, targetUrl, autoCommitInterval, batchSize, startAt } = configOptions;
const producerOptions = {
  mongo,
  kafka,
  include,
  exclude,
  snapshot,
  startAt,
  json: option(toggle(), { group: 'Output', describe: 'Print JSON', alias: 'j' }),
};
const name = option(text().optional(), { group: 'Target', describe: 'Name' });
const consumerOptions = { target, targetUrl, name, kafka, include, rename, autoCommitInterval, batchSize };

/** The values that `producer start` or `consumer start` gets, or the code of the error. */
async function values(program: 'producer' | 'consumer', line: readonly string[], env: NodeJS.ProcessEnv = {}) {
  let got: Record<string, unknown> = {};
  const start: Command = {
    name: 'start',
    summary: 'Start',
    options: program === 'producer' ? producerOptions : consumerOptions,
    takesForeignOptions: true,
    examples: [],
    run: async (given) => {
      got = { ...given };
    },
  };
  const stream = new PassThrough() as unknown as NodeJS.WriteStream;
  const io = { env, stdout: stream, stderr: stream, signal: new AbortController().signal };
  const cli = createCli({ name: program, description: 'Test', version: '1', commands: [start], foreign: mongoConnector });
  try {
    await cli.execute(['start', '--log-level', 'silent', '--kafka', 'k:9092', ...line], io);
  } catch (error) {
    if (!(error instanceof TailwaterError)) throw error;
    return { error: error.code, message: error.message };
  }
  return got;
}

const CONFIG = {
  mainAddress: 'file:1',
  namespaces: { 'a.b': true },
  docManagers: [
    { docManager: 'elastic2_doc_manager', targetURL: 'es:1' },
    { docManager: 'solr_doc_manager', targetURL: 'http://solr' },
    { docManager: 'elastic2_doc_manager', targetURL: 'es:2' },
  ],
};

describe('options of mongo-connector', () => {
  it('are taken without a file', async () => {
    expect(await values('producer', ['-m', 'db:1', '-n', 'a.b,c.*', '-x', 'c.d', '--no-dump', '-v'])).toMatchObject({
      mongo: 'mongodb://db:1/',
      include: ['a.b', 'c.*'],
      exclude: ['c.d', '*.*.chunks', '*.*.files'],
      snapshot: 'never',
    });
  });

  it('beat the environment, which beats the file; flags beat all', async () => {
    const file = fileOf('config.json', CONFIG);
    const env = { TAILWATER_MONGO: 'mongodb://env:1/' };
    expect(await values('producer', ['-c', file])).toMatchObject({ mongo: 'mongodb://file:1/', include: ['a.b'] });
    expect(await values('producer', ['-c', file], env)).toMatchObject({ mongo: 'mongodb://env:1/' });
    expect(await values('producer', ['--config-file', file, '-m', 'line:1'], env)).toMatchObject({
      mongo: 'mongodb://line:1/',
      include: ['a.b'],
    });
    expect(await values('producer', ['-c', file, '-m', 'line:1', '--mongo', 'mongodb://flag:1/'], env)).toMatchObject({
      mongo: 'mongodb://flag:1/',
    });
  });

  it('complete a file', async () => {
    const file = fileOf('incomplete.json', { docManagers: [{ targetURL: 'es:1' }] });
    expect(await values('consumer', ['-c', file])).toMatchObject({ error: 'TW1061' });
    expect(await values('consumer', ['-c', file, '-d', 'elastic2_doc_manager'])).toMatchObject({ target: 'es', targetUrl: 'http://es:1' });
  });

  it('name a target, by whichever of the two names its options have', async () => {
    const long = ['--doc-manager', 'elastic2_doc_manager', '--target-url', 'es:9200', '--auto-commit-interval', '0'];
    for (const line of [long, ['-d', 'elastic2_doc_manager', '-t', 'es:9200', '--auto-commit-interval=0']])
      expect(await values('consumer', line)).toMatchObject({ target: 'es', targetUrl: 'http://es:9200', autoCommitInterval: 0 });
  });

  it('leave to Tailwater what it has by the same name', async () => {
    const line = ['--target', 'es', '--target-url', 'http://es:9200', '--batch-size', '50', '--auto-commit-interval', '2'];
    expect(await values('consumer', line)).toMatchObject({ targetUrl: 'http://es:9200', batchSize: 50, autoCommitInterval: 2 });
  });

  it('of several doc managers one is chosen by name, or by type', async () => {
    const file = fileOf('several.json', CONFIG);
    expect(await values('consumer', ['-c', file])).toMatchObject({ error: 'TW1024' });
    expect(await values('consumer', ['-c', file, '--name', 'es-2'])).toMatchObject({ targetUrl: 'http://es:2' });
    expect(await values('consumer', ['-c', file, '--target', 'solr'])).toMatchObject({ targetUrl: 'http://solr', name: 'solr' });
    expect(await values('consumer', ['-c', file, '--target', 'es'])).toMatchObject({ error: 'TW1024' });
  });

  it('go with no configuration of Tailwater', async () => {
    const file = fileOf('tailwater.yaml', 'source:\n  uri: mongodb://yaml/\n');
    expect(await values('producer', ['-c', file, '-n', 'a.b'])).toMatchObject({ error: 'TW1015' });
  });

  it('contradict each other as they did', async () => {
    expect(await values('producer', ['-w', 'x.log', '-s'])).toMatchObject({ error: 'TW1061' });
    expect(await values('producer', ['-n', 'a.b', '-g', 'c.d,e.f'])).toMatchObject({ error: 'TW1061' });
    expect(await values('producer', ['-g', 'c.d'])).toMatchObject({ error: 'TW1061' });
    expect(await values('producer', ['--batch-size', 'many'])).toMatchObject({ error: 'TW1006' });
  });

  it('a place of its own is kept from variables: ${ is text', async () => {
    const file = fileOf('dollar.json', { mainAddress: 'mongodb://u:a${b@db/' });
    expect(await values('producer', ['-c', file])).toMatchObject({ mongo: 'mongodb://u:a${b@db/' });
  });

  it.each(FOREIGN_OPTIONS.flatMap(({ names, takes }) => names.map((each) => [each as string, takes] as const)))(
    '%s is no unknown flag of either program',
    async (each, takes) => {
      const flag = each.length === 1 ? `-${each}` : `--${each}`;
      // A place where a log may be written.
      const line = takes === 'flag' ? [flag] : [flag, takes === 'integer' ? '1' : join(directory, 'x')];
      for (const program of ['producer', 'consumer'] as const) expect(await values(program, line)).not.toMatchObject({ error: 'TW1005' });
    },
  );
});
