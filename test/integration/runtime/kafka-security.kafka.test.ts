// A real broker behind TLS and SASL, reached as the options say: ways to authenticate, and what each refusal says.
import { writeFile } from 'node:fs/promises';
import { type Kafka, startKafka, waitFor } from '@tailwater/devstack';
import {
  checkKafka,
  createKafka,
  createLogger,
  type KafkaClient,
  kafkaConnection,
  kafkaOptions,
  loadOptions,
  type TailwaterError,
} from '@tailwater/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BadTlsServers } from '#test/support/bad-tls-servers.js';
import { type Certificate, Certificates } from '#test/support/certificates.js';
import { TestTokenServer } from '#test/support/token-server.js';

const logger = createLogger({ name: 'test', level: 'silent' });
/** A broker that hangs up may be starting, so it is asked again until the time is up. */
const HANG_UP_MS = 8_000;
const PASSWORD = 'p@ss/wörd:%';

let authority: Certificates;
let stranger: Certificates;
let client: Certificate;
let tokens: TestTokenServer;
let kafka: Kafka;
beforeAll(async () => {
  [authority, stranger] = await Promise.all([Certificates.create(), Certificates.create()]);
  const { both } = await authority.issue('broker');
  client = await authority.issue('tailwater');
  tokens = await TestTokenServer.start({ 'reader@shop': PASSWORD });
  kafka = await startKafka({ security: { tls: { ca: authority.ca, both }, users: { reader: PASSWORD }, oauth: tokens.checkedBy } });
});
afterAll(async () => {
  await kafka?.stop();
  await Promise.all([tokens?.[Symbol.asyncDispose](), authority?.[Symbol.asyncDispose](), stranger?.[Symbol.asyncDispose]()]);
});

type Given = Record<string, string | boolean>;

function clientOf(brokers: string, options: Given): KafkaClient {
  const flags = Object.entries({ kafka: brokers, ...options }).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]);
  return createKafka(kafkaConnection(loadOptions(kafkaOptions, { flags: Object.fromEntries(flags), env: {} }), 'test'), logger);
}

/** How many brokers there are, asked by a client with these options. */
const connect = async (brokers: string, options: Given, timeoutMs = 30_000): Promise<number> =>
  (await checkKafka(clientOf(brokers, options), { timeoutMs })).brokers.length;

const user = (mechanism: string, password = PASSWORD) => ({ kafkaSasl: mechanism, kafkaUser: 'reader', kafkaPassword: password });

const failure = (work: Promise<unknown>): Promise<TailwaterError> =>
  work.then(
    () => Promise.reject(new Error('It was let in')),
    (error: TailwaterError) => error,
  );

describe('a broker behind TLS', () => {
  it.each(['plain', 'scram-sha-256', 'scram-sha-512'])('lets in by %s, whatever is in the password', async (mechanism) => {
    expect(await connect(kafka.listener('saslSsl'), { kafkaTlsCa: authority.ca, ...user(mechanism) })).toBe(1);
  });

  it('lets in by certificate, with the key in a file of its own, in the same one, and behind a password', async () => {
    const { cert, key, both } = client;
    const ca = { kafkaTlsCa: authority.ca };
    expect(await connect(kafka.listener('ssl'), { ...ca, kafkaTlsCert: cert, kafkaTlsKey: key })).toBe(1);
    expect(await connect(kafka.listener('ssl'), { ...ca, kafkaTlsCert: both })).toBe(1);
    const encrypted = { kafkaTlsKey: await authority.encryptKey(client, 'geheim'), kafkaTlsKeyPassword: 'geheim' };
    expect(await connect(kafka.listener('ssl'), { ...ca, kafkaTlsCert: cert, ...encrypted })).toBe(1);
  });

  it('says what is wrong, whoever it is about', async () => {
    await using bad = await BadTlsServers.start(authority, stranger);
    const foreign = await stranger.issue('foreign');
    const [ssl, saslSsl, plain] = [kafka.listener('ssl'), kafka.listener('saslSsl'), kafka.brokers.join()];
    const ca = { kafkaTlsCa: authority.ca };
    const mine = { ...ca, ...user('scram-sha-512') };
    const local = (port: number) => `127.0.0.1:${port}`;
    const credentials = /^TW1202 .*refused the credentials Check --kafka-sasl/;
    const notTrusted = /^TW1210 .*not trusted here.*--kafka-tls-ca/;
    const hangsUp = /^TW1217 .*closes them at once.*--kafka-tls.*--kafka-sasl/;
    const cases: [what: string, attempt: Promise<unknown>, words: RegExp][] = [
      ['wrong password, PLAIN', connect(saslSsl, { ...ca, ...user('plain', 'wrong') }), credentials],
      ['wrong password, SCRAM-SHA-256', connect(saslSsl, { ...ca, ...user('scram-sha-256', 'wrong') }), credentials],
      ['wrong password, SCRAM-SHA-512', connect(saslSsl, { ...ca, ...user('scram-sha-512', 'wrong') }), credentials],
      ['unknown user', connect(saslSsl, { ...mine, kafkaUser: 'nobody' }), credentials],
      ['unknown CA', connect(saslSsl, { ...mine, kafkaTlsCa: stranger.ca }), notTrusted],
      ['well-known CAs only', connect(saslSsl, { ...user('plain'), kafkaTls: true }), notTrusted],
      ['a certificate of another CA', connect(local(bad.otherCa), mine), notTrusted],
      ['an expired certificate', connect(local(bad.expired), mine), /^TW1210 .*has expired/],
      ['a certificate for another host', connect(local(bad.otherHost), mine), /^TW1210 .*other host names.*advertised\.listeners/],
      ['no client certificate', connect(ssl, ca), /^TW1210 .*client.* certificate.*--kafka-tls-cert/],
      ['a client certificate of another CA', connect(ssl, { ...ca, kafkaTlsCert: foreign.both }), /^TW1210 .*refused this client’s cert/],
      ['SASL towards TLS alone', connect(ssl, { ...mine, kafkaTlsCert: client.both }), /^TW1202 .*this listener takes none/],
      ['SASL towards a plain listener', connect(plain, user('plain')), /^TW1202 .*this listener takes none/],
      ['TLS towards a plain listener', connect(plain, mine, HANG_UP_MS), hangsUp],
      ['SASL without TLS', connect(saslSsl, user('plain'), HANG_UP_MS), hangsUp],
      ['neither TLS nor SASL', connect(saslSsl, {}, HANG_UP_MS), hangsUp],
      ['TLS without SASL', connect(saslSsl, ca, HANG_UP_MS), hangsUp],
    ];
    const errors = await Promise.all(cases.map(async ([what, attempt, words]) => ({ what, words, error: await failure(attempt) })));
    for (const { what, words, error } of errors) {
      const told = `${error.code} ${error.message} ${error.hint}`;
      expect.soft(told, what).toMatch(words);
      expect.soft(told, what).not.toContain(PASSWORD);
    }
  });
});

describe('tokens', () => {
  const server = (secret = PASSWORD): Given => ({
    kafkaTlsCa: authority.ca,
    kafkaSasl: 'oauthbearer',
    kafkaOauthTokenUrl: tokens.tokenUrl,
    kafkaOauthScope: 'read write',
    kafkaUser: 'reader@shop',
    kafkaPassword: secret,
  });
  const file = async (token: string): Promise<Given> => {
    const path = authority.file('token');
    await writeFile(path, `${token}\n`);
    return { kafkaTlsCa: authority.ca, kafkaSasl: 'oauthbearer', kafkaOauthTokenFile: path };
  };

  it('let in, from a token server or a file', async () => {
    expect(await connect(kafka.listener('saslSsl'), server())).toBe(1);
    expect(tokens.bodies.at(-1)).toBe('grant_type=client_credentials&scope=read+write');
    expect(await connect(kafka.listener('saslSsl'), await file(tokens.token('reader@shop')))).toBe(1);
  });

  it('that are refused, or not to be had, are told as such', async () => {
    const sasl = kafka.listener('saslSsl');
    const told = async (attempt: Promise<unknown>) => {
      const { code, message, hint } = await failure(attempt);
      expect(`${message} ${hint}`).not.toContain(PASSWORD);
      return `${code} ${message} ${hint}`;
    };
    expect(await told(connect(sasl, server('wrong')))).toMatch(/^TW1219 .*invalid_client, HTTP 401.*--kafka-password/);
    expect(await told(connect(sasl, await file(tokens.token('reader@shop', { aud: 'other' }))))).toMatch(/^TW1202 .*audience/);
    expect(await told(connect(sasl, await file(tokens.token('reader@shop', { exp: 1 }))))).toMatch(/^TW1202 /);
    expect(await told(connect(sasl, await file('no token'), 1_000))).toMatch(/^TW1218 .*is no token.*--kafka-oauth-token-file/);
    tokens.isAway = true;
    expect(await told(connect(sasl, server(), 1_000))).toMatch(/^TW1218 .*\/token \(HTTP 503\).*--kafka-oauth-token-url/);
    tokens.isAway = false;
  });

  it('are renewed while a client works, and an outage of their server only lets it wait', async () => {
    await kafka.createTopic('renewed');
    tokens.lifetimeSeconds = 4;
    const producer = clientOf(kafka.listener('saslSsl'), server()).producer({ allowAutoTopicCreation: false });
    await producer.connect();
    const send = () => producer.send({ topic: 'renewed', messages: [{ value: 'x' }], acks: -1 });
    let sent = 0;
    const first = tokens.given;
    await waitFor(
      async () => {
        await send();
        sent += 1;
        return tokens.given;
      },
      { describe: 'two tokens more', until: (given) => given >= first + 2, timeoutMs: 60_000, intervalMs: 200 },
    );
    tokens.isAway = true;
    // It goes on as long as the token that it has is good.
    let isOver = false;
    const stuck = waitFor(
      async () => {
        await send();
        sent += 1;
        return isOver;
      },
      { describe: 'the end of the outage', until: (is) => is, timeoutMs: 120_000, intervalMs: 200 },
    );
    const tokenIsOverMs = Date.now() + tokens.lifetimeSeconds * 1000;
    let missed: number | undefined;
    await waitFor(
      async () => {
        if (Date.now() > tokenIsOverMs) missed ??= tokens.missed;
        return missed !== undefined && tokens.missed > missed;
      },
      { describe: 'a request in vain when there is no good token left', until: (is) => is, timeoutMs: 90_000 },
    );
    tokens.isAway = false;
    isOver = true;
    await stuck;
    await producer.disconnect();
    const offsets = await kafka.withAdmin((admin) => admin.fetchTopicOffsets('renewed'));
    expect(Number(offsets[0]?.high)).toBeGreaterThanOrEqual(sent);
    tokens.lifetimeSeconds = 300;
  });
});
