import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { mongoConnector } from '@tailwater/mongo-connector';
import { configCheckCommand, configOptions, configPrintCommand, createCli, option, TailwaterError, text } from '@tailwater/runtime';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'config-commands-'));
afterAll(() => rmSync(directory, { recursive: true }));

const { mongo, kafka, kafkaPassword, target, targetUrl, batchSize, esApiKey, solrSchema } = configOptions;
const name = option(text().optional(), { group: 'Target', describe: 'x' });
const producerOptions = { mongo, kafka, kafkaPassword };
const consumerOptions = { target, targetUrl, name, kafka, batchSize, esApiKey, solrSchema };

/** Servers that are down answer with TW1201; targets with `refused` in their URL are refused offline. */
async function run(program: 'producer' | 'consumer', file: string, args: string[], env: NodeJS.ProcessEnv = {}) {
  const path = join(directory, 'tw.yaml');
  writeFileSync(path, file);
  const open = new Set<string>();
  const prepare = async (given: { kafka: readonly string[]; url: string; label: string }) => {
    if (given.url.includes('refused')) throw new TailwaterError('TW1016', { broker: given.label });
    open.add(given.label);
    const hop = {
      name: 'Kafka',
      async connect() {
        if (given.kafka[0] === 'down:1') throw new TailwaterError('TW1201', { brokers: 'down:1' });
        return given.kafka.join(',');
      },
    };
    return { hops: [hop], close: async () => void open.delete(given.label) };
  };
  const commands = {
    producer: [
      configCheckCommand({
        program: 'producer',
        options: producerOptions,
        prepare: (given) => prepare({ kafka: given.kafka, url: given.mongo, label: 'source' }),
      }),
      configPrintCommand('producer', producerOptions),
    ],
    consumer: [
      configCheckCommand({
        program: 'consumer',
        options: consumerOptions,
        prepare: (given) => prepare({ kafka: given.kafka, url: given.targetUrl, label: given.name ?? given.target }),
      }),
      configPrintCommand('consumer', consumerOptions),
    ],
  };
  const stdout = new PassThrough();
  const cli = createCli({ name: program, description: 'x', version: '1', commands: commands[program], foreign: mongoConnector });
  const stream = stdout as unknown as NodeJS.WriteStream;
  const error = await cli
    .execute(['config', ...args, '-c', path], { env, stdout: stream, stderr: stream, signal: new AbortController().signal })
    .then(
      () => undefined,
      (thrown: unknown) => thrown as TailwaterError,
    );
  expect([...open], 'everything is closed').toEqual([]);
  return {
    error: error && `${error.code} ${error.message}`.replaceAll(`${directory}/`, ''),
    stdout: String(stdout.read() ?? '').replaceAll(`${directory}/`, ''),
  };
}

const TARGETS = 'targets: { a: { type: es, url: "http://u:hunter2@h" }, b: { type: mongo, url: m, kafka: { brokers: [down:1] } } }\n';

describe('config check', () => {
  it('says that all is well, without connecting', async () => {
    expect(await run('producer', 'source: { uri: m }\nkafka: { brokers: [down:1] }\n', ['check'])).toEqual({
      error: undefined,
      stdout: 'producer  ok  tw.yaml\n',
    });
    expect((await run('consumer', TARGETS, ['check'])).stdout).toBe('a  ok  tw.yaml\nb  ok  tw.yaml\n');
    expect((await run('consumer', TARGETS, ['check', '--name', 'b'])).stdout).toBe('b  ok  tw.yaml\n');
    expect((await run('consumer', TARGETS, ['check'], { TAILWATER_NAME: 'a' })).stdout).toBe('a  ok  tw.yaml\n');
  });

  it('counts flags and environment, also without a target in the file', async () => {
    expect((await run('consumer', '', ['check', '--target', 'es'], { TAILWATER_TARGET_URL: 'u' })).stdout).toBe('consumer  ok  tw.yaml\n');
  });

  it('tells what is missing, unset, or refused by what a start checks', async () => {
    expect((await run('producer', '', ['check'])).error).toBe('TW1007 The option --mongo is required');
    expect((await run('producer', 'source: { uri: "${NO}" }', ['check'])).error).toContain('TW1020 tw.yaml:1:16: source.uri refers to');
    const file = 'targets: { a: { type: es }, b: { type: es, url: refused }, c: { type: es, url: u } }';
    expect((await run('consumer', file, ['check'])).error).toBe(
      '2 mistakes in the configuration:\n  TW1007 The option --target-url is required\n  TW1016 The Kafka broker address b is not usable'.replace(
        /^/,
        'TW1019 ',
      ),
    );
  });

  it('takes what mongo-connector’s users have: its file, its options, both', async () => {
    const config = JSON.stringify({ mainAddress: 'db1', docManagers: [{ docManager: 'elastic2_doc_manager', targetURL: 'es1' }] });
    expect(await run('producer', config, ['check', '--kafka', 'k:1'])).toEqual({ error: undefined, stdout: 'producer  ok  tw.yaml\n' });
    expect((await run('consumer', config, ['check', '--kafka', 'k:1', '-t', 'es2'])).stdout).toBe('es  ok  tw.yaml\n');
    expect((await run('consumer', config, ['check', '--kafka', 'k:1', '-t', 'refused'])).error).toContain('TW1016');
    expect((await run('producer', config, ['check', '--kafka', 'k:1', '-m', 'refused', '--no-dump'])).error).toContain('TW1016');
    expect((await run('producer', config, ['check', '-m', 'db2'])).error).toContain('TW1063');
    expect((await run('producer', 'source: { uri: m }', ['check', '-m', 'db2'])).error).toContain('TW1015');
  });

  it('tells where no log can be written, and writes none', async () => {
    const [missing, log] = [join(directory, 'none', 'a.log'), join(directory, 'tw.log')];
    const refused = (file: string, reason: string) => `TW1405 Cannot write the log file ${file}: ${reason}`.replaceAll(`${directory}/`, '');
    const producer = `source: { uri: m }\nproducer: { logging: { file: ${missing} } }\n`;
    expect((await run('producer', producer, ['check'])).error).toBe(refused(missing, 'there is no directory none'));
    const consumer = (file: string) => `targets: { a: { type: es, url: u, logging: { file: ${file} } } }\n`;
    expect((await run('consumer', consumer(missing), ['check'])).error).toBe(refused(missing, 'there is no directory none'));
    expect((await run('consumer', consumer(directory), ['check'])).error).toContain('it is a directory');
    expect((await run('consumer', consumer(join(directory, 'tw.yaml', 'x')), ['check'])).error).toContain('TW1405');
    expect((await run('consumer', consumer(log), ['check'])).stdout).toBe('a  ok  tw.yaml\n');
    expect((await run('producer', `source: { uri: m }\nlogging: { file: ${log} }\n`, ['check'])).error).toBeUndefined();
    expect(existsSync(log)).toBe(false);
    expect((await run('consumer', 'targets: { a: { type: es, url: u, logging: { level: loud } } }\n', ['check'])).error).toContain(
      'TW1080',
    );
  });

  it('with --connect asks every server, and tells of each', async () => {
    const { error, stdout } = await run('consumer', TARGETS, ['check', '--connect']);
    expect(error).toBe('TW1201 Cannot reach Kafka at down:1');
    expect(stdout.split('\n').map((line) => line.replace(/ {2,}/g, ' '))).toEqual([
      'a ok tw.yaml',
      'b ok tw.yaml',
      'a: Kafka ok 127.0.0.1:9092',
      'b: Kafka failed TW1201 Cannot reach Kafka at down:1',
      '',
    ]);
    const both = await run('consumer', TARGETS, ['check', '--connect', '--kafka', 'down:1']);
    expect(both.error).toBe('TW1201 Cannot reach Kafka at down:1');
    expect(both.stdout.match(/failed/g)).toHaveLength(2);
  });
});

describe('config print', () => {
  const json = async (...args: Parameters<typeof run>) => JSON.parse((await run(...args)).stdout) as Record<string, unknown>;

  it('shows values and origins, and no secret', async () => {
    const file = 'source: { uri: "mongodb://u:hunter2@h/" }\nkafka: { sasl: { password: hunter2 } }\n';
    const { stdout } = await run('producer', file, ['print', '--kafka', 'a:1']);
    expect(stdout).not.toContain('hunter2');
    const lines = stdout.split('\n').map((line) => line.replace(/ {2,}/g, ' | '));
    expect(lines).toContain('source.uri | mongodb://u:***@h/ | file tw.yaml:1:16');
    expect(lines).toContain('kafka.brokers | ["a:1"] | flag --kafka');
    expect(lines).toContain('kafka.sasl.password | *** | file tw.yaml:2:28');
    expect(lines).toContain('logging.keep | 10 | default');
    expect(lines).toContain('logging.file | - | not set');
  });

  it('shows what options of mongo-connector say', async () => {
    const values = await json('producer', JSON.stringify({ mainAddress: 'db1' }), ['print', '--kafka', 'k:1', '-m', 'db2', '--json']);
    expect(values).toMatchObject({ 'source.uri': { value: 'mongodb://db2/', origin: 'flag' } });
  });

  it('shows what is required and missing', async () => {
    expect((await run('producer', '', ['print'])).stdout).toMatch(/source\.uri +- +required, and not set/);
  });

  it('shows one target, and what its type has', async () => {
    const values = await json('consumer', TARGETS, ['print', '--name', 'a', '--json'], { TAILWATER_BATCH_SIZE: '5' });
    expect(values).toMatchObject({
      'targets.a.type': { value: 'es', origin: 'file' },
      'targets.a.url': { value: 'http://u:***@h', origin: 'file', place: expect.stringMatching(/^tw\.yaml:1:\d+$/) },
      'targets.a.batchSize': { value: 5, origin: 'environment', place: 'TAILWATER_BATCH_SIZE' },
      'targets.a.apiKey': { value: null, origin: 'none' },
      'kafka.brokers': { value: ['127.0.0.1:9092'], origin: 'default' },
    });
    expect(Object.keys(values)).not.toContain('targets.a.schema');
    expect((await run('consumer', TARGETS, ['print'])).error).toContain('TW1024');
  });
});
