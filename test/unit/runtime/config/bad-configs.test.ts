// What people get wrong in a configuration, and what they are told: read each message as somebody who sees it for the first time.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { mongoConnector } from '@tailwater/mongo-connector';
import { configOptions, createCli, kafkaConnection, option, TailwaterError, text } from '@tailwater/runtime';
import { afterAll, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'bad-configs-'));
afterAll(() => rmSync(directory, { recursive: true }));
writeFileSync(join(directory, 'empty'), ' \n');
writeFileSync(join(directory, 'latin1'), Buffer.from('kafka: { prefix: \xe9 }', 'latin1'));

interface Bad {
  readonly file?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Default producer. */
  readonly program?: 'consumer';
  readonly says: string;
}

const { target, targetUrl, batchSize, onError, esApiKey, autoCommitInterval, ...others } = configOptions;
const { mongo, kafka, prefix, statusPort, snapshotOnly, snapshot, rename, logFormat } = others;
const { kafkaTls, kafkaTlsCa, kafkaTlsCert, kafkaTlsKey, kafkaSasl, kafkaUser, kafkaPassword } = others;
const shared = { kafka, prefix, statusPort, kafkaTls, kafkaTlsCa, kafkaTlsCert, kafkaTlsKey, kafkaSasl, kafkaUser, kafkaPassword };
const name = option(text().optional(), { group: 'Target', describe: 'x' });

const start = (options: object) => ({
  name: 'start',
  summary: 'x',
  options: { ...shared, ...options },
  examples: [],
  run: async (given: object) => {
    kafkaConnection(given as never, 'test');
  },
});
const programs = {
  producer: start({ mongo, snapshot, snapshotOnly, rename, logFormat }),
  consumer: start({ target, targetUrl, name, batchSize, onError, esApiKey, autoCommitInterval }),
};

async function said({ file, args = [], env = {}, program }: Bad): Promise<string> {
  const which = program ?? 'producer';
  const path = join(directory, 'tw.yaml');
  if (file !== undefined) writeFileSync(path, file);
  const stream = new PassThrough() as unknown as NodeJS.WriteStream;
  const cli = createCli({ name: which, description: 'x', version: '1', commands: [programs[which]], foreign: mongoConnector });
  const io = { env: { TAILWATER_MONGO: 'mongodb://h', ...env }, stdout: stream, stderr: stream, signal: new AbortController().signal };
  try {
    await cli.execute(['start', ...(file === undefined ? [] : ['-c', path]), ...args], io);
  } catch (error) {
    if (error instanceof TailwaterError) return `${error.code} ${error.message}`.replaceAll(`${directory}/`, '');
    throw error;
  }
  return 'no error';
}

const TARGET = 'targets: { search: { type: es, url: "http://h" } }\n';
const consumer = 'consumer' as const;

it.each<Bad>([
  // Keys that are not there.
  { file: 'kafak: {}\n', says: 'TW1001 tw.yaml:1:1: unknown key kafak, did you mean kafka?' },
  { file: 'kafka:\n  broker: a:1\n', says: 'TW1001 tw.yaml:2:3: unknown key kafka.broker, did you mean brokers?' },
  {
    file: 'kafka:\n  replication-factor: 1\n',
    says: 'TW1001 tw.yaml:2:3: unknown key kafka.replication-factor, did you mean replicationFactor?',
  },
  { file: 'source: { url: x }\n', says: 'TW1001 tw.yaml:1:11: unknown key source.url, did you mean uri?' },
  { file: 'mongo: mongodb://h\n', says: 'TW1001 tw.yaml:1:1: unknown key mongo, did you mean source.uri?' },
  { file: 'prefix: tw\n', says: 'TW1001 tw.yaml:1:1: unknown key prefix, did you mean kafka.prefix?' },
  { file: 'statusPort: 1\n', says: 'TW1001 tw.yaml:1:1: unknown key statusPort, did you mean status.port?' },
  { file: 'include: [a.b]\n', says: 'TW1001 tw.yaml:1:1: unknown key include, did you mean namespaces.include?' },
  { file: 'source: { snapshot: never }\n', says: 'TW1001 tw.yaml:1:11: unknown key source.snapshot, did you mean producer.snapshot.mode?' },
  { file: 'consumer: { x: 1 }\n', says: 'TW1001 tw.yaml:1:1: unknown key consumer' },
  { file: 'target: es\n', says: 'TW1001 tw.yaml:1:1: unknown key target, did you mean targets?' },
  { file: 'elephants: true\n', says: 'TW1001 tw.yaml:1:1: unknown key elephants' },
  { file: 'toString: 1\n', says: 'TW1001 tw.yaml:1:1: unknown key toString' },
  { file: 'producer:\n  snapshot:\n    mod: never\n', says: 'TW1001 tw.yaml:3:5: unknown key producer.snapshot.mod, did you mean mode?' },
  {
    file: 'targets:\n  a:\n    type: mongo\n    apiKey: k\n',
    says: 'TW1001 tw.yaml:4:5: unknown key targets.a.apiKey, which only a target of type es has',
  },
  {
    file: 'targets: { a: { type: es, versionField: v } }\n',
    says: 'TW1001 tw.yaml:1:27: unknown key targets.a.versionField, which only a target of type solr, mongo has',
  },
  {
    file: 'targets: { a: { type: es, batchsize: 5 } }\n',
    says: 'TW1001 tw.yaml:1:27: unknown key targets.a.batchsize, did you mean batchSize?',
  },
  {
    file: 'targets: { a: { type: es, source: { uri: x } } }\n',
    says: 'TW1001 tw.yaml:1:27: unknown key targets.a.source, which stands at the top of the file only',
  },
  { file: 'targets: { a: { type: es, <<: {} } }\n', says: 'TW1001 tw.yaml:1:27: unknown key targets.a.<<' },
  // Values of the wrong kind.
  { file: 'source:\n  uri: 5\n', says: 'TW1002 tw.yaml:2:8: source.uri must be a text, not ***' },
  { file: 'source:\n  uri:\n', says: 'TW1002 tw.yaml:2:7: source.uri must be a text, not nothing' },
  { file: 'source: mongodb://h\n', says: 'TW1002 tw.yaml:1:9: source must be a mapping with keys such as uri, not "mongodb://h"' },
  { file: 'source: { type: oplogs }\n', says: 'TW1002 tw.yaml:1:17: source.type must be one of oplog, change-stream, not "oplogs"' },
  { file: 'status:\n  port: "80"\n', says: 'TW1002 tw.yaml:2:9: status.port must be a whole number from 0 to 65535, not "80"' },
  { file: 'status:\n  port: 99999\n', says: 'TW1002 tw.yaml:2:9: status.port must be a whole number from 0 to 65535, not 99999' },
  {
    file: 'kafka: { sessionTimeout: 10s }\n',
    says: 'TW1002 tw.yaml:1:26: kafka.sessionTimeout must be a whole number from 6 to 1800, not "10s"',
  },
  { file: 'kafka: { tls: true }\n', says: 'TW1002 tw.yaml:1:15: kafka.tls must be a mapping with keys such as enabled, not true' },
  { file: 'kafka: { tls: { enabled: yes } }\n', says: 'TW1002 tw.yaml:1:26: kafka.tls.enabled must be true or false, not "yes"' },
  {
    file: 'kafka:\n  brokers:\n    - a:1\n    - 7\n',
    says: 'TW1002 tw.yaml:4:7: kafka.brokers must be a list of brokers, host:port, not 7',
  },
  {
    file: 'kafka:\n  brokers:\n    - a: 1\n',
    says: 'TW1002 tw.yaml:3:7: kafka.brokers must be a list of brokers, host:port, not a mapping',
  },
  { file: 'kafka: { brokers: [] }\n', says: 'TW1002 tw.yaml:1:19: kafka.brokers must be a list of brokers, host:port, not an empty list' },
  {
    file: 'namespaces:\n  rename: [a=b]\n',
    says: 'TW1002 tw.yaml:2:11: namespaces.rename must be a mapping from text to text (name=value on the command line), not a list',
  },
  {
    file: 'namespaces:\n  rename:\n    a.b: [c]\n',
    says: 'TW1002 tw.yaml:3:10: namespaces.rename must be a mapping from text to text (name=value on the command line), not a list',
  },
  { file: 'kafka: { sasl: { password: 12345 } }\n', says: 'TW1002 tw.yaml:1:28: kafka.sasl.password must be a text, not ***' },
  { file: 'targets: es\n', says: 'TW1002 tw.yaml:1:10: targets must be a mapping of targets by their names, not "es"' },
  { file: 'targets:\n  - type: es\n', says: 'TW1002 tw.yaml:2:3: targets must be a mapping of targets by their names, not a list' },
  { file: 'targets: { a: es }\n', says: 'TW1002 tw.yaml:1:15: targets.a must be a mapping with the keys type and url, not "es"' },
  { file: 'targets: { a: }\n', says: 'TW1002 tw.yaml:1:12: targets.a must be a mapping with the keys type and url, not nothing' },
  {
    file: 'targets: { a: { url: x } }\n',
    says: 'TW1002 tw.yaml:1:12: targets.a.type must be es, solr, mongo or the path of a module, not nothing',
  },
  {
    file: 'targets: { a: { type: elastic } }\n',
    says: 'TW1002 tw.yaml:1:23: targets.a.type must be es, solr, mongo or the path of a module, not "elastic"',
  },
  {
    file: 'targets: { a.b: { type: es } }\n',
    says: 'TW1002 tw.yaml:1:12: the name of a target must be 1 to 100 letters, digits, _ and -, but not producer, not "a.b"',
  },
  {
    file: 'targets: { producer: { type: es } }\n',
    says: 'TW1002 tw.yaml:1:12: the name of a target must be 1 to 100 letters, digits, _ and -, but not producer, not "producer"',
  },
  {
    file: 'targets: { a: { type: mongo, writeConcern: "0" } }\n',
    says: 'TW1002 tw.yaml:1:44: targets.a.writeConcern must be a text: majority, a number above 0, or a tag, not "0"',
  },
  {
    file: 'targets: { a: { type: es, aliasSuffix: A B } }\n',
    says: 'TW1002 tw.yaml:1:40: targets.a.aliasSuffix must be 1 to 50 small letters, digits, dots, _ and -, not "A B"',
  },
  // Files that are no configuration.
  { file: '- a\n', says: 'TW1004 tw.yaml:1:1: the file must be a mapping of sections: source, kafka, targets, …' },
  { file: 'kafka: "a\n', says: 'TW1004 tw.yaml:2:1: Missing closing "quote' },
  {
    file: 'kafka: *nobody\n',
    says: 'TW1004 tw.yaml:1:8: an alias (*name) to an anchor that nothing has; a text that begins with * is written in quotes',
  },
  {
    file: 'kafka: { prefix: a }\n---\nkafka: { prefix: b }\n',
    says: 'TW1004 tw.yaml:2:1: a line --- begins a second document',
  },
  {
    file: 'kafka: { prefix: a }\nstatus: {}\nkafka: {}\n',
    says: 'TW1022 tw.yaml:3:1: the key kafka occurs twice, the first time at tw.yaml:1:1',
  },
  {
    file: '{"kafka": {"prefix": "a",\n"prefix": "b"}}',
    says: 'TW1022 tw.yaml:2:1: the key kafka.prefix occurs twice, the first time at tw.yaml:1:12',
  },
  {
    file: 'namespaces:\n  rename: { a.b: c.d, a.b: e.f }\n',
    says: 'TW1022 tw.yaml:2:23: the key namespaces.rename.a.b occurs twice, the first time at tw.yaml:2:13',
  },
  { args: ['-c', join(directory, 'none.yaml')], says: 'TW1003 Cannot read the configuration file none.yaml: there is no such file' },
  { args: ['-c', join(directory, 'latin1')], says: 'TW1003 Cannot read the configuration file latin1: it is no text in UTF-8' },
  { args: ['-c', directory], says: `TW1003 Cannot read the configuration file ${directory}: it is a directory` },
  { args: ['-c', join(directory, 'empty', 'x')], says: 'TW1003 Cannot read the configuration file empty/x: there is no such file' },
  {
    args: ['--kafka-password', `file:${join(directory, 'latin1')}`],
    says: 'TW1017 Cannot read latin1, which --kafka-password names: it is no text in UTF-8',
  },
  // Several at once.
  {
    file: 'kafka: { broker: a:1 }\nstatus: { port: x }\n',
    says: '2 mistakes'
      .concat(
        ' in the configuration:\n  TW1001 tw.yaml:1:10: unknown key kafka.broker, did you mean brokers?',
        '\n  TW1002 tw.yaml:2:17: status.port must be a whole number from 0 to 65535, not "x"',
      )
      .replace(/^/, 'TW1019 '),
  },
  // Variables and secrets.
  {
    file: 'kafka: { prefix: "${PREFIX}" }\n',
    says: 'TW1020 tw.yaml:1:18: kafka.prefix refers to the environment variable PREFIX, which is not set',
  },
  {
    file: 'kafka: { prefix: "${PRE" }\n',
    env: { PRE: 'x' },
    says: 'TW1021 tw.yaml:1:18: kafka.prefix has a ${ that does not begin a variable',
  },
  { file: 'kafka: { prefix: "${A:-b}" }\n', says: 'TW1021 tw.yaml:1:18: kafka.prefix has a ${ that does not begin a variable' },
  {
    file: 'status: { port: "${PORT}" }\n',
    env: { PORT: 'x' },
    says: 'TW1002 tw.yaml:1:17: status.port must be a whole number from 0 to 65535, not "x"',
  },
  {
    file: 'kafka: { sasl: { password: file:/nowhere } }\n',
    says: 'TW1017 Cannot read /nowhere, which tw.yaml:1:28: kafka.sasl.password names: there is no such file',
  },
  {
    file: `kafka: { sasl: { password: "file:${join(directory, 'empty')}" } }\n`,
    says: 'TW1044 The file empty for tw.yaml:1:28: kafka.sasl.password is empty',
  },
  {
    env: { TAILWATER_KAFKA_PASSWORD: 'file:/nowhere' },
    says: 'TW1017 Cannot read /nowhere, which TAILWATER_KAFKA_PASSWORD names: there is no such file',
  },
  // Flags and variables.
  { args: ['--kafak', 'a:1'], says: 'TW1005 Unknown flag --kafak, did you mean --kafka?' },
  { args: ['--status-port', '99999'], says: 'TW1006 --status-port must be a whole number from 0 to 65535, not "99999"' },
  { args: ['--log-format', 'xml'], says: 'TW1006 --log-format must be one of pretty, json, not "xml"' },
  { args: ['--rename', 'a.b'], says: 'TW1006 --rename must be a mapping from text to text (name=value on the command line), not "a.b"' },
  { args: ['--snapshot-only=maybe'], says: 'TW1006 --snapshot-only must be true or false, not "maybe"' },
  {
    env: { TAILWATER_LOG_FORMAT: 'xml' },
    says: 'TW1009 The environment variable TAILWATER_LOG_FORMAT must be one of pretty, json, not "xml"',
  },
  {
    env: { TAILWATER_STATUS_PORT: 'http' },
    says: 'TW1009 The environment variable TAILWATER_STATUS_PORT must be a whole number from 0 to 65535, not "http"',
  },
  // What is missing.
  { env: { TAILWATER_MONGO: '' }, says: 'TW1007 The option --mongo is required' },
  { file: 'targets: { a: { type: es } }\n', program: consumer, says: 'TW1007 The option --target-url is required' },
  { file: 'kafka: { sasl: { mechanism: plain, user: u } }\n', says: 'TW1007 The option --kafka-password is required' },
  // Which target.
  { file: TARGET, args: ['--name', 'serach'], program: consumer, says: 'TW1023 tw.yaml has no target serach, did you mean search?' },
  {
    file: 'targets: { a: { type: es }, b: { type: mongo } }\n',
    program: consumer,
    says: 'TW1024 tw.yaml has several targets, and none was chosen',
  },
])('%#: $says', async (bad) => {
  expect(await said(bad)).toBe(bad.says);
});
