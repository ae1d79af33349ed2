// What a newcomer gets wrong: each mistake its own code, a sentence that says what to do, an exit code that is not 0.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { freePort, type Kafka, type Mongo, PipelineProcess, startKafka, startMongo, waitFor } from '@tailwater/devstack';
import { createCli, TailwaterError } from '@tailwater/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consumerProgram } from '#consumer/cli/program.js';
import { producerProgram } from '#producer/cli/program.js';
import { runCommand } from '#test/support/run-command.js';

const CLIS = { producer: createCli(producerProgram), consumer: createCli(consumerProgram) };

let source: Mongo;
let standalone: Mongo;
let guarded: Mongo;
let kafka: Kafka;
beforeAll(async () => {
  [source, standalone, guarded, kafka] = await Promise.all([
    startMongo({}),
    startMongo({ members: 0 }),
    startMongo({ auth: true }),
    startKafka({}),
  ]);
  await (await guarded.client())
    .db('admin')
    .command({ createUser: 'shopper', pwd: 'secret-of-shopper', roles: [{ role: 'read', db: 'shop' }] });
});
afterAll(() => Promise.all([source?.stop(), standalone?.stop(), guarded?.stop(), kafka?.stop()]));

const producerStart = (uri: string, ...args: string[]) =>
  runCommand('producer', ['start', '--mongo', uri, '--kafka', kafka.brokers.join(','), '--prefix', 'bad', '--status-port', '0', ...args]);
const consumerStart = (...args: string[]) =>
  runCommand('consumer', ['start', '--kafka', kafka.brokers.join(','), '--prefix', 'bad', '--status-port', '0', ...args]);

describe('producer start', () => {
  it('says how to make a standalone mongod a replica set', async () => {
    const { code, stderr } = await producerStart(standalone.uri);
    expect(code).toBe(1);
    expect(stderr).toContain('TW1103');
    expect(stderr).toContain('rs.initiate()');
    expect(stderr).toContain('--bind_ip');
  });

  it('names the MongoDB that it cannot reach', async () => {
    const port = await freePort();
    const { code, stderr } = await producerStart(`mongodb://127.0.0.1:${port}/?replicaSet=rs0`);
    expect(code).toBe(1);
    expect(stderr).toContain('TW1101');
    expect(stderr).toContain(`127.0.0.1:${port}`);
  });

  it('tells wrong credentials from missing rights, and prints no secret', async () => {
    const wrong = await producerStart(guarded.uriFor({ username: 'shopper', password: 'not-the-secret' }));
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('TW1102');
    expect(wrong.stderr).not.toContain('not-the-secret');
    const powerless = await producerStart(guarded.uriFor({ username: 'shopper', password: 'secret-of-shopper' }));
    expect(powerless.code).toBe(1);
    expect(powerless.stderr).toContain('TW1104');
    expect(powerless.stderr).toContain('grantRolesToUser');
    expect(powerless.stderr).not.toContain('secret-of-shopper');
  });

  it('names the Kafka that it cannot reach', async () => {
    const port = await freePort();
    const { code, stderr } = await runCommand('producer', [
      'start',
      '--mongo',
      source.uri,
      '--kafka',
      `127.0.0.1:${port}`,
      '--status-port',
      '0',
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('TW1201');
    expect(stderr).toContain(`127.0.0.1:${port}`);
  });

  it('copies all the same where a connection string has a database and an authSource that mean nothing without a user', async () => {
    const [, host] = /^mongodb:\/\/([^/]+)/.exec(source.uri) ?? [];
    const { code, stderr } = await producerStart(`mongodb://${host}/$x?authSource=$y`, '--snapshot-only', '--include', 'none.none');
    expect(`${code} ${stderr}`).toMatch(/^0 /);
  });

  it('refuses an unknown flag, a malformed pattern, prefix and connection string with exit code 2', async () => {
    const cases: [string[], string][] = [
      [['start', '--mongo', source.uri, '--inclood', 'shop.*'], 'TW1005'],
      [['start', '--mongo', source.uri, '--include', 'shop'], 'TW1010'],
      [['start', '--mongo', source.uri, '--prefix', 'a.b'], 'TW1013'],
      [['start', '--mongo', 'mongo://127.0.0.1'], 'TW1107'],
      [['start'], 'TW1007'],
      [['strat'], 'TW1008'],
    ];
    for (const [args, expected] of cases) {
      const { code, stderr } = await runCommand('producer', args);
      expect(`${args.join(' ')} -> ${code} ${stderr}`).toContain(expected);
      expect(code).toBe(2);
    }
  });

  it('warns of a pattern that matches nothing, and works on', async () => {
    const args = ['--mongo', source.uri, '--kafka', kafka.brokers.join(','), '--prefix', 'nothing', '--include', 'shpo.*'];
    await using producer = await PipelineProcess.start('producer', args);
    const log = await waitFor(() => readFile(producer.logFile, 'utf8'), {
      until: (text) => text.includes('No collection matches'),
      describe: 'the warning',
    });
    expect(log).toContain('shpo.*');
    await waitFor(() => fetch(`${producer.url}/readyz`), { until: ({ status }) => status === 200, describe: 'the producer to be ready' });
  });

  it('refuses to write to a topic whose settings would lose data', async () => {
    await (await source.client()).db('shop').collection('careless').insertOne({ n: 1 });
    await kafka.createTopic('bad.shop.careless', { config: { 'cleanup.policy': 'delete' } });
    const { code, stderr } = await producerStart(source.uri, '--include', 'shop.careless');
    expect(code).toBe(1);
    expect(stderr).toContain('TW1203');
    expect(stderr).toContain('cleanup.policy');
    expect(stderr).toContain('bad.shop.careless');
  });

  it('names the port that is in use', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as AddressInfo;
    const { code, stderr } = await runCommand('producer', [
      'start',
      '--mongo',
      source.uri,
      '--kafka',
      kafka.brokers.join(','),
      '--status-port',
      String(port),
    ]);
    blocker.close();
    expect(code).toBe(1);
    expect(stderr).toContain('TW1401');
    expect(stderr).toContain(String(port));
  });
});

describe('consumer start', () => {
  it('lists the targets when asked for an unknown one', async () => {
    const { code, stderr } = await consumerStart('--target', 'elastc', '--target-url', 'http://127.0.0.1:1');
    expect(code).toBe(2);
    expect(stderr).toContain('TW1012');
    expect(stderr).toMatch(/es.*mongo/);
  });

  it('names the target that it cannot reach', async () => {
    const port = await freePort();
    const { code, stderr } = await consumerStart('--target', 'es', '--target-url', `http://127.0.0.1:${port}`);
    expect(code).toBe(1);
    expect(stderr).toContain('TW1301');
    expect(stderr).toContain(`127.0.0.1:${port}`);
  });
});

/** Runs a command line to its end, in this process: what would end a process with TW1499 is thrown as it is. */
async function outcomeOf(name: keyof typeof CLIS, args: readonly string[]): Promise<string> {
  const sink = () => new Writable({ write: (_chunk, _encoding, done) => done() }) as unknown as NodeJS.WriteStream;
  const io = { env: {}, stdout: sink(), stderr: sink(), signal: AbortSignal.timeout(150_000) };
  return CLIS[name].execute([...args, '--log-level', 'silent'], io).then(
    () => 'ends',
    (error: unknown) => (error instanceof TailwaterError ? error.code : `TW1499 ${String(error)}`),
  );
}

describe.concurrent('odd addresses', () => {
  const http = createHttpServer((_, response) => response.end('<html>'));
  beforeAll(() => new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve)));
  afterAll(() => {
    http.close();
  });

  const KINDS = ['oplog', 'change-stream'];
  const common = () => ['--prefix', 'odd', '--status-port', '0'];
  const toProducer = (uri: string, kind: string, brokers = kafka.brokers.join()) =>
    outcomeOf('producer', [
      'start',
      '--mongo',
      uri,
      '--source',
      kind,
      '--kafka',
      brokers,
      '--snapshot-only',
      '--include',
      'none.none',
      ...common(),
    ]);
  const toConsumer = (target: string, url: string, brokers = kafka.brokers.join()) =>
    outcomeOf('consumer', ['start', '--target', target, '--target-url', url, '--kafka', brokers, ...common()]);

  it('of MongoDB are told alike by both sources and by the target', async () => {
    const [, host = ''] = /^mongodb:\/\/([^/]+)/.exec(source.uri) ?? [];
    const away = `127.0.0.1:${await freePort()}`;
    const { port } = http.address() as AddressInfo;
    const table: [uri: string, asSource: string, asTarget: string][] = [
      ['mongodb+srv://nowhere.invalid/', 'TW1046', 'TW1046'],
      ['mongodb+srv://user:pw@cluster0.invalid/?retryWrites=true', 'TW1046', 'TW1046'],
      [`mongodb://${host}/?readPreference=secondary`, 'TW1149', 'TW1149'],
      [`mongodb://${host}/?replicasett=rs0`, 'TW1045', 'TW1045'],
      [`mongodb://${host}/?replicaset=RS0`, 'TW1047', 'TW1047'],
      [`mongodb://${host}/?replicaSet=rs0&replicaSet=rs1`, 'TW1107', 'TW1308'],
      [`mongodb://${host}/?readPreference=nonsense`, 'TW1107', 'TW1308'],
      [`mongodb://${host}/?loadBalanced=true`, 'TW1107', 'TW1308'],
      [`mongodb://${host}/?compressors=nope`, 'TW1107', 'TW1308'],
      [`mongodb://${host}/?authMechanism=NOPE`, 'TW1107', 'TW1308'],
      [`mongodb://${host}/?authMechanism=GSSAPI`, 'TW1107', 'TW1308'],
      [`mongodb://u:p@${host}/`, 'TW1102', 'TW1302'],
      [`mongodb://${host}/?tls=true`, 'TW1101', 'TW1301'],
      [`mongodb://${host}/?tls=true&tlsCAFile=/nowhere`, 'TW1107', 'TW1308'],
      ['mongodb://nowhere.invalid/', 'TW1101', 'TW1301'],
      [`mongodb://${away}/`, 'TW1101', 'TW1301'],
      [`mongodb://127.0.0.1:${port}/`, 'TW1101', 'TW1301'],
      [`mongodb://${kafka.brokers[0]}/`, 'TW1101', 'TW1301'],
      [`http://${host}/`, 'TW1107', 'TW1308'],
      ['', 'TW1006', 'TW1006'],
    ];
    const told = await Promise.all(
      table.map(async ([uri]) => {
        const [byOplog, byStream, asTarget] = await Promise.all([...KINDS.map((kind) => toProducer(uri, kind)), toConsumer('mongo', uri)]);
        return [uri, byOplog, byStream, asTarget];
      }),
    );
    expect(told).toEqual(table.map(([uri, asSource, asTarget]) => [uri, asSource, asSource, asTarget]));
  });

  it('of Kafka and of targets are told, whatever answers there', async () => {
    const { port } = http.address() as AddressInfo;
    const [html, away, broker] = [`127.0.0.1:${port}`, `127.0.0.1:${await freePort()}`, kafka.brokers[0] as string];
    const brokers: [string, string][] = [
      [html, 'TW1217'],
      [away, 'TW1201'],
      ['nowhere.invalid:9092', 'TW1201'],
      ['kafka:x', 'TW1016'],
    ];
    const targets: [target: string, url: string, code: string][] = [
      ['es', `http://${html}`, 'TW1313'],
      ['es', `https://${html}`, 'TW1312'],
      ['es', `http://${away}`, 'TW1301'],
      ['es', 'http://nowhere.invalid:9200', 'TW1301'],
      ['es', `mongodb://${html}`, 'TW1308'],
      ['solr', `http://${html}/solr/core`, 'TW1363'],
      ['solr', `https://${html}/solr/core`, 'TW1312'],
      ['solr', `http://${away}/solr`, 'TW1301'],
      ['solr', 'http://nowhere.invalid/solr', 'TW1301'],
      ['solr', `http://${broker}`, 'TW1308'],
    ];
    const [ofBrokers, ofTargets] = await Promise.all([
      Promise.all(
        brokers.map(async ([address]) => [
          address,
          ...(await Promise.all([toProducer(source.uri, 'oplog', address), toConsumer('mongo', standalone.uri, address)])),
        ]),
      ),
      Promise.all(targets.map(async ([target, url]) => [target, url, await toConsumer(target, url)])),
    ]);
    expect(ofBrokers).toEqual(brokers.map(([address, code]) => [address, code, code]));
    expect(ofTargets).toEqual(targets);
  });
});

describe('help', () => {
  it.each(['producer', 'consumer'] as const)('of %s shows every command with groups, defaults and examples', async (name) => {
    const overview = await runCommand(name, ['--help']);
    expect(overview.code).toBe(0);
    expect(overview.stdout).toContain('start');
    expect(overview.stdout).toContain('status');
    for (const command of ['start', 'status']) {
      const { code, stdout } = await runCommand(name, [command, '--help']);
      expect(code).toBe(0);
      expect(stdout).toContain('--kafka');
      expect(stdout).toContain('default');
      expect(stdout).toContain('Examples');
    }
  });
});

describe('one file for both', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tailwater-config-'));
  afterAll(() => rmSync(directory, { recursive: true }));
  const fileFor = (uri: string) => {
    const file = join(directory, 'tailwater.yaml');
    const targets = `targets:\n  copy: { type: mongo, url: "${standalone.uri}" }\n  lost: { type: es, url: "http://127.0.0.1:1" }\n`;
    writeFileSync(file, `source: { uri: "${uri}" }\nkafka: { brokers: [${kafka.brokers.join()}] }\n${targets}`);
    return file;
  };

  it('config check says whether it is right, and --connect whether every server answers', async () => {
    const file = fileFor(source.uri);
    expect(await runCommand('producer', ['config', 'check', '-c', file])).toMatchObject({ code: 0, stdout: `producer  ok  ${file}\n` });
    const producer = await runCommand('producer', ['config', 'check', '-c', file, '--connect']);
    expect(producer).toMatchObject({ code: 0, stderr: '' });
    expect(producer.stdout).toMatch(/producer: MongoDB +ok +mongodb:.*rs.*, MongoDB \d/);
    expect(producer.stdout).toMatch(/producer: Kafka +ok +127\.0\.0\.1:\d+: brokers \d/);
    const copy = await runCommand('consumer', ['config', 'check', '-c', file, '--name', 'copy', '--connect']);
    expect(copy).toMatchObject({ code: 0, stderr: '' });
    const all = await runCommand('consumer', ['config', 'check', '-c', file, '--connect']);
    expect(all.code).toBe(1);
    expect(all.stdout).toMatch(/copy: mongo +ok +mongodb:/);
    expect(all.stdout).toMatch(/lost: es +failed +TW1301/);
    expect(all.stderr).toContain('TW1301');
  });

  it('config check --connect names each hop that fails, and a start ends with the same error', async () => {
    const file = fileFor(standalone.uri);
    const check = await runCommand('producer', ['config', 'check', '-c', file, '--connect']);
    expect(check.code).toBe(1);
    expect(check.stdout).toMatch(/producer: MongoDB +failed +TW1103/);
    expect(check.stdout).toMatch(/producer: Kafka +ok/);
    expect((await runCommand('producer', ['start', '-c', file])).stderr).toContain('TW1103');
  });
});
