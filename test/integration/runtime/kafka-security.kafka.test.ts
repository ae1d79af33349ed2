// A real broker behind TLS and SASL, reached as the options say: ways to authenticate, and what each refusal says.
import { type Kafka, startKafka } from '@tailwater/devstack';
import { checkKafka, createKafka, createLogger, kafkaConnection, kafkaOptions, loadOptions, type TailwaterError } from '@tailwater/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BadTlsServers } from '../../support/bad-tls-servers.js';
import { type Certificate, Certificates } from '../../support/certificates.js';

const logger = createLogger({ name: 'test', level: 'silent' });
/** A broker that hangs up may be starting, so it is asked again until the time is up. */
const HANG_UP_MS = 8_000;
const PASSWORD = 'p@ss/wörd:%';

let authority: Certificates;
let stranger: Certificates;
let client: Certificate;
let kafka: Kafka;
beforeAll(async () => {
  [authority, stranger] = await Promise.all([Certificates.create(), Certificates.create()]);
  const { both } = await authority.issue('broker');
  client = await authority.issue('tailwater');
  kafka = await startKafka({ security: { tls: { ca: authority.ca, both }, users: { reader: PASSWORD } } });
});
afterAll(async () => {
  await kafka?.stop();
  await Promise.all([authority?.[Symbol.asyncDispose](), stranger?.[Symbol.asyncDispose]()]);
});

/** How many brokers there are, asked by a client with these options. */
async function connect(brokers: string, options: Record<string, string | boolean>, timeoutMs = 30_000): Promise<number> {
  const flags = Object.entries({ kafka: brokers, ...options }).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]);
  const connection = kafkaConnection(loadOptions(kafkaOptions, { flags: Object.fromEntries(flags), env: {} }), 'test');
  return (await checkKafka(createKafka(connection, logger), { timeoutMs })).brokers.length;
}

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
