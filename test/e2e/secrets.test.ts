// No secret in anything that the commands show, wherever it was given and whatever happens: output, log, status server, list of
// processes, dead letters.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { freePort, type Kafka, type Mongo, startKafka, startMongo, waitFor } from '@tailwater/devstack';
import { createCli, renderError } from '@tailwater/runtime';
import { checkpointTopicName, deadLetterTopicName } from '@tailwater/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { consumerProgram } from '#consumer/cli/program.js';
import { producerProgram } from '#producer/cli/program.js';
import { BadTlsServers } from '#test/support/bad-tls-servers.js';
import { Certificates } from '#test/support/certificates.js';
import { readTopic } from '#test/support/read-topic.js';
import { RefusingServer } from '#test/support/refusing-server.js';
import { type RunningCommand, runCommand, startCommand } from '#test/support/run-command.js';

/** Part of every secret, whichever form of it shows. */
const MARK = /geheim/i;
/** With what a URI has to escape, and what may end one. */
const secret = (name: string): string => `geheim%${name}:@/,'x`;
const USER = 'app';
const PASSWORD = { mongo: secret('mongo'), kafka: secret('kafka'), target: secret('target'), registry: secret('registry') };
const API_KEY = 'geheimApiKey==';
const TOKEN = 'geheimToken';
const basic = (password: string): string => `Basic ${Buffer.from(`${USER}:${password}`).toString('base64')}`;
const inUri = (password: string, host: string, scheme: string): string => `${scheme}://${USER}:${encodeURIComponent(password)}@${host}`;

type Program = 'producer' | 'consumer';
/** Values by the name of their flag. */
type Given = Readonly<Record<string, string>>;
/** The keys that the configuration file has for them. */
const KEYS: Given = {
  mongo: 'source.uri',
  'mongo-user': 'source.user',
  'mongo-password': 'source.password',
  'kafka-sasl': 'kafka.sasl.mechanism',
  'kafka-user': 'kafka.sasl.user',
  'kafka-password': 'kafka.sasl.password',
  'status-token': 'status.token',
  target: 'targets.es.type',
  'target-url': 'targets.es.url',
  'target-user': 'targets.es.user',
  'target-password': 'targets.es.password',
  'es-api-key': 'targets.es.apiKey',
};
const PLACES = ['flag', 'environment', 'file', 'file:'] as const;
type Place = (typeof PLACES)[number];

let directory: string;
let files = 0;
let mongo: Mongo;
let kafka: Kafka;
let saslBroker: string;
let refusing: RefusingServer;
let authority: Certificates;
let stranger: Certificates;
let bad: BadTlsServers;
const running: RunningCommand[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secrets-'));
  authority = await Certificates.create();
  stranger = await Certificates.create();
  [mongo, kafka, refusing, bad] = await Promise.all([
    startMongo({ auth: true }),
    startSaslKafka(),
    RefusingServer.start([basic(PASSWORD.target), `ApiKey ${API_KEY}`]),
    BadTlsServers.start(authority, stranger),
  ]);
  const root = await mongo.client();
  await root.db('admin').command({ createUser: USER, pwd: PASSWORD.mongo, roles: ['root'] });
  await root.db('shop').collection('orders').insertOne({ customer: 'a' });
});
afterAll(async () => {
  for (const command of running) command[Symbol.dispose]();
  await Promise.all([mongo?.stop(), kafka?.stop(), refusing?.[Symbol.asyncDispose](), bad?.[Symbol.asyncDispose]()]);
  await Promise.all([authority?.[Symbol.asyncDispose](), stranger?.[Symbol.asyncDispose]()]);
  await rm(directory, { recursive: true, force: true });
});

/** A broker with a second listener, for those who have a password. */
async function startSaslKafka(): Promise<Kafka> {
  const [port, sasl, controller] = [await freePort(), await freePort(), await freePort()];
  saslBroker = `127.0.0.1:${sasl}`;
  const clients = `PLAINTEXT://127.0.0.1:${port},CLIENTS://${saslBroker}`;
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
  const properties = {
    listeners: `${clients},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': clients,
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,CLIENTS:SASL_PLAINTEXT',
    'listener.name.clients.sasl.enabled.mechanisms': 'PLAIN',
    'listener.name.clients.plain.sasl.jaas.config': `${login} user_${USER}="${PASSWORD.kafka}";`,
  };
  return startKafka({ port, properties });
}

async function newFile(text: string): Promise<string> {
  const file = join(directory, String(++files));
  await writeFile(file, text);
  return file;
}

const toFlags = (given: Given): string[] => Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
const toVariables = (given: Given): Given =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [`TAILWATER_${name.replaceAll('-', '_').toUpperCase()}`, value]));

async function toFiles(given: Given): Promise<Given> {
  const isSecret = (name: string): boolean => /password|token|key|^mongo$|url/.test(name);
  const named = Object.entries(given).map(async ([name, value]) => [name, isSecret(name) ? `file:${await newFile(`${value}\n`)}` : value]);
  return Object.fromEntries(await Promise.all(named));
}

function toTree(given: Given): object {
  const tree: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(given)) {
    const path = (KEYS[name] as string).split('.');
    const last = path.pop() as string;
    const section = path.reduce<Record<string, unknown>>((node, key) => {
      node[key] ??= {};
      return node[key] as Record<string, unknown>;
    }, tree);
    section[last] = value;
  }
  return tree;
}

/** How a command is told. */
async function put(place: Place, given: Given): Promise<{ readonly args: readonly string[]; readonly env: Given }> {
  if (place === 'flag') return { args: toFlags(given), env: {} };
  if (place === 'environment') return { args: [], env: toVariables(given) };
  if (place === 'file:') return { args: toFlags(await toFiles(given)), env: {} };
  return { args: ['--config', await newFile(JSON.stringify(toTree(given)))], env: {} };
}

const kafkaAccess = (): Given => ({ 'kafka-sasl': 'plain', 'kafka-user': USER, 'kafka-password': PASSWORD.kafka });

/** Each secret twice: in a URI, and beside one. */
function secretsOf(program: Program, index: number): Given {
  const common = { ...kafkaAccess(), 'status-token': TOKEN };
  const parameters = '/?directConnection=true&authSource=admin';
  if (program === 'producer') {
    if (index % 2 === 0) return { ...common, mongo: inUri(PASSWORD.mongo, `127.0.0.1:${mongo.port}${parameters}`, 'mongodb') };
    return { ...common, mongo: `mongodb://127.0.0.1:${mongo.port}${parameters}`, 'mongo-user': USER, 'mongo-password': PASSWORD.mongo };
  }
  const url = `http://${refusing.host}`;
  const ways: Given[] = [
    { 'target-url': inUri(PASSWORD.target, refusing.host, 'http') },
    { 'target-url': url, 'target-user': USER, 'target-password': PASSWORD.target },
    { 'target-url': url, 'es-api-key': API_KEY },
  ];
  return { ...common, target: 'es', ...ways[index % ways.length] };
}

const common = (prefix: string): string[] => ['--kafka', saslBroker, '--prefix', prefix, '--log-level', 'debug'];

/** What everyone may see of a process. */
async function seenOf(pid: number): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(pid)]).catch(() => ({ stdout: '' }));
  return `${stdout}\n${await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')}`;
}

async function ask(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
  return response.text();
}

/** Starts it, and waits until it works. */
async function start(program: Program, place: Place, prefix: string): Promise<{ command: RunningCommand; port: number; log: string }> {
  const [port, log] = [await freePort(), join(directory, `${prefix}-${program}.log`)];
  const { args, env } = await put(place, secretsOf(program, PLACES.indexOf(place)));
  const own = program === 'producer' ? ['--include', 'shop.*', '--partitions', '1'] : [];
  const output = place === 'file' ? ['--log-file', log] : [];
  const command = startCommand(program, ['start', ...args, ...common(prefix), ...own, ...output, '--status-port', String(port)], env);
  running.push(command);
  let ended = false;
  void command.ended.then(() => {
    ended = true;
  });
  await waitFor(() => ask(port, '/readyz').catch(() => ''), {
    describe: () => `${program} ready: ${command.output.stderr}`,
    until: (text) => {
      if (ended) throw new Error(`${program} ended: ${command.output.stderr}`);
      return text.includes('"ready"');
    },
    timeoutMs: 90_000,
  });
  return { command, port, log };
}

describe.concurrent('no secret shows', () => {
  it.each(PLACES.map((place, index) => [place, index] as const))(
    'given as %s, while all is well but the documents',
    async (place, index) => {
      const prefix = `tw${index}`;
      const producer = await start('producer', place, prefix);
      const consumer = await start('consumer', place, prefix);
      const letters = deadLetterTopicName(prefix, 'es');
      await waitFor(() => ask(consumer.port, '/status'), {
        describe: (status) => `a dead letter: ${status}`,
        until: (status) => /"deadLettered": [1-9]/.test(status),
        timeoutMs: 60_000,
      });
      const seen: string[] = [];
      for (const { command, port } of [producer, consumer]) {
        const shown = await seenOf(command.pid);
        expect(shown).toContain('start');
        seen.push(shown);
        for (const path of ['/status', '/metrics', '/healthz', '/readyz', '/']) seen.push(await ask(port, path));
      }
      for (const program of ['producer', 'consumer'] as const) {
        const { args, env } = await put(place, secretsOf(program, index));
        for (const words of ['print', 'check']) {
          const text = await executed(program, ['config', words, ...args, ...common(prefix)], env);
          expect(text).toMatch(/^no error/);
          seen.push(text);
        }
      }
      // A process each takes its time, so each place has another one of them.
      const { 'status-token': _token, ...forMongo } = secretsOf('producer', index);
      const asked: readonly [Program, readonly string[], Given][] = [
        ['producer', ['status'], forMongo],
        ['consumer', ['status'], kafkaAccess()],
        ['consumer', ['dead-letters', 'list', '--target', 'es'], kafkaAccess()],
        ['consumer', ['dead-letters', 'show', `${prefix}.shop.orders/0/0`, '--target', 'es'], kafkaAccess()],
      ];
      const [program, words, given] = asked[index] as (typeof asked)[number];
      const { args, env } = await put(place, given);
      const { code, stdout, stderr } = await runCommand(program, [...words, ...args, ...common(prefix)], env);
      expect(`${code} ${stderr}`).toMatch(/^0 /);
      expect(stdout).not.toBe('');
      seen.push(stdout, stderr);
      for (const { command, log } of [producer, consumer]) {
        const ended = await command.stop();
        expect(ended.code).toBe(0);
        seen.push(ended.stdout, ended.stderr, place === 'file' ? await readFile(log, 'utf8') : '');
      }
      for (const topic of [letters, checkpointTopicName(prefix)]) {
        const records = await readTopic(kafka.brokers, topic);
        if (topic === letters) expect(records).not.toEqual([]);
        for (const { key, value, headers } of records) seen.push(String(key), String(value), Object.values(headers).map(String).join());
      }
      expectNoSecret(seen);
    },
  );

  it('when something is wrong', async () => {
    // All at once: several wait a quarter of a minute for a server.
    const results = (await failures()).map(async ([code, program, words, given, place]) => {
      const { args, env } = await put(place ?? 'flag', given);
      const { code: exitCode, stdout, stderr } = await runCommand(program, [...words, ...args], env);
      expect(`exit code ${exitCode}: ${stderr}`, words.join(' ')).toMatch(new RegExp(`^exit code [1-9][\\s\\S]*${code} `));
      return [stdout, stderr];
    });
    expectNoSecret((await Promise.all(results)).flat());
  });

  it('when it is not where it should be', async () => {
    for (const [code, program, words] of mistakes()) {
      const text = await executed(program, words);
      expect(text, words.join(' ')).toMatch(new RegExp(`^${code} `));
      expectNoSecret([text]);
    }
    for (const [code, line] of MALFORMED) {
      const text = await executed('producer', ['start', '--config', await newFile(`source:\n  uri: mongodb://127.0.0.1:1\n  ${line}\n`)]);
      expect(text, line).toMatch(new RegExp(`^${code} `));
      expectNoSecret([text]);
    }
  });

  it('when the configuration of mongo-connector is converted', async () => {
    const config = {
      mainAddress: inUri(PASSWORD.mongo, 'db1:27017', 'mongodb'),
      authentication: { adminUsername: USER, password: PASSWORD.mongo },
      docManagers: [{ docManager: 'elastic2_doc_manager', targetURL: inUri(PASSWORD.target, 'es1:9200', 'http') }],
    };
    const { code, stdout, stderr } = await runCommand('consumer', ['config', 'convert', await newFile(JSON.stringify(config))]);
    expect(`${code} ${stdout}`).toMatch(/^0 [\s\S]*\$\{/);
    expectNoSecret([stdout, stderr]);
  });
});

type Failure = readonly [code: string, program: Program, words: readonly string[], given: Given, place?: Place];

/** What goes wrong between the commands and the servers; the slow ones first. */
async function failures(): Promise<Failure[]> {
  const nobody = await freePort();
  const producer = ['start', '--kafka', saslBroker, '--prefix', 'wrong'];
  const consumer = [...producer, '--target', 'es'];
  const right = inUri(PASSWORD.mongo, `127.0.0.1:${mongo.port}/?directConnection=true&authSource=admin`, 'mongodb');
  const wrong = secret('wrong');
  const sasl = kafkaAccess();
  const source = (uri: string): Given => ({ ...sasl, mongo: uri });
  const target = (uri: string): Given => ({ ...sasl, 'target-url': uri });
  const refused = { ...target(`http://${refusing.host}`), 'es-api-key': API_KEY };
  return [
    ['TW1102', 'producer', producer, source(inUri(wrong, `127.0.0.1:${mongo.port}/?directConnection=true`, 'mongodb')), 'environment'],
    ['TW1101', 'producer', producer, source(inUri(wrong, `127.0.0.1:${nobody}/?directConnection=true`, 'mongodb')), 'file'],
    [
      'TW1111',
      'producer',
      [...producer, '--mongo-tls-ca', authority.ca],
      source(inUri(wrong, `127.0.0.1:${bad.expired}`, 'mongodb')),
      'file:',
    ],
    ['TW1301', 'consumer', consumer, target(inUri(wrong, `127.0.0.1:${nobody}`, 'http')), 'file:'],
    ['TW1302', 'consumer', [...producer, '--target', 'mongo'], target(inUri(wrong, `127.0.0.1:${mongo.port}`, 'mongodb')), 'environment'],
    ['TW1202', 'producer', producer, { ...source(right), 'kafka-password': wrong }],
    ['TW1202', 'consumer', ['dead-letters', 'list', ...consumer.slice(1)], { ...sasl, 'kafka-password': wrong }, 'environment'],
    ['TW1302', 'consumer', consumer, { ...refused, 'es-api-key': 'geheimWrong' }],
    ['TW1312', 'consumer', [...consumer, '--target-tls-ca', authority.ca], target(inUri(wrong, `127.0.0.1:${bad.otherHost}`, 'https'))],
    ['TW1561', 'producer', [...producer, '--schema-registry', inUri(PASSWORD.registry, refusing.host, 'http')], source(right)],
    ['TW1561', 'consumer', [...consumer, '--schema-registry', `http://${refusing.host}`, '--schema-registry-token', TOKEN], refused],
  ];
}

/** Secrets that became part of something else. */
function mistakes(): (readonly [code: string, program: Program, words: readonly string[]])[] {
  const producer = ['start', '--mongo', 'mongodb://127.0.0.1:1'];
  const consumer = (type: string, url: string): string[] => ['start', '--target', type, '--target-url', url];
  const sources = [
    'mongodb:/app:geheim@db1',
    'mongodb://app:geheim',
    'mongodb//app:geheim@db1',
    'app:geheim@db1',
    'mongodb://app:geheim "@db1:x',
  ];
  const targets = ['http:/app:geheim@[es1', 'app:geheim@es1:9200', 'https://app:geheim', 'http://app:geheim "x@es1:99999'];
  return [
    ...sources.map((uri) => ['TW1107', 'producer', ['start', '--mongo', uri]] as const),
    ...targets.map((url) => ['TW1308', 'consumer', consumer('es', url)] as const),
    ['TW1308', 'consumer', consumer('solr', 'http://app:geheim%@127.0.0.1/solr')],
    ['TW1308', 'consumer', consumer('mongo', 'mongodb://app:geheim')],
    ['TW1006', 'producer', [...producer, '--schema-registry', 'http//app:geheim@127.0.0.1']],
    ['TW1016', 'consumer', ['dead-letters', 'list', '--target', 'es', '--kafka', 'app:geheim@b1:9092']],
    ['TW1007', 'producer', [...producer, '--mongo-password', 'geheim']],
    ['TW1017', 'producer', [...producer, '--mongo-user', USER, '--mongo-password', 'file:/nowhere/at/all']],
    ['TW1014', 'producer', [...producer, '--mongo-password', 'my', 'geheim']],
    ['TW1005', 'producer', [...producer, '--kafka-pasword=geheim']],
  ];
}

const MALFORMED = [
  ['TW1004', 'password: "geheim'],
  ['TW1004', 'password: *geheim'],
  ['TW1004', 'password: @geheim'],
  ['TW1004', 'password: geheim: x'],
  ['TW1004', 'password: "ge\\heim geheim"'],
  ['TW1002', 'password: [geheim]'],
  ['TW1002', 'password: {geheim: x}'],
  ['TW1001', 'pasword: geheim'],
] as const;

/** What a command line says that needs no process of its own. */
async function executed(program: Program, args: readonly string[], env: Given = {}): Promise<string> {
  const output = new PassThrough() as unknown as NodeJS.WriteStream;
  const log = join(directory, `${++files}.log`);
  const io = { env, stdout: output, stderr: output, signal: AbortSignal.timeout(60_000) };
  const error = await createCli(program === 'producer' ? producerProgram : consumerProgram)
    .execute([...args, '--log-file', log], io)
    .then(() => 'no error', renderError);
  return [error, String((output as unknown as PassThrough).read() ?? ''), await readFile(log, 'utf8').catch(() => '')].join('\n');
}

function expectNoSecret(texts: readonly string[]): void {
  const encoded = [...Object.values(PASSWORD), TOKEN, API_KEY].flatMap((text) => [
    Buffer.from(text).toString('base64').replaceAll('=', '').slice(0, -1),
    Buffer.from(`${USER}:${text}`).toString('base64').replaceAll('=', '').slice(0, -1),
  ]);
  const leaks = texts.flatMap((text) => text.split('\n')).filter((line) => MARK.test(line) || encoded.some((each) => line.includes(each)));
  expect(leaks).toEqual([]);
}
