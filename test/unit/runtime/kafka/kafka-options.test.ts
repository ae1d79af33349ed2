import { readFile } from 'node:fs/promises';
import { kafkaConnection, kafkaOptions, loadOptions } from '@tailwater/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, Certificates } from '#test/support/certificates.js';

let certificates: Certificates;
let client: Certificate;
beforeAll(async () => {
  certificates = await Certificates.create();
  client = await certificates.issue('client');
});
afterAll(() => certificates?.[Symbol.asyncDispose]());

const connection = (flags: Record<string, string | boolean>) => {
  const given = Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]));
  return kafkaConnection(loadOptions(kafkaOptions, { flags: given, env: {} }), 'test');
};

describe('kafkaConnection', () => {
  it('is plain by default', () => {
    expect(connection({})).toEqual({ brokers: ['127.0.0.1:9092'], clientId: 'test' });
  });

  it('uses TLS when told to, or given a file', async () => {
    expect(connection({ kafka: 'a:1,b:2', kafkaTls: true })).toEqual({ brokers: ['a:1', 'b:2'], clientId: 'test', ssl: true });
    const [ca, cert, key, both] = await Promise.all(
      [certificates.ca, client.cert, client.key, client.both].map((file) => readFile(file, 'utf8')),
    );
    expect(connection({ kafkaTlsCa: certificates.ca }).ssl).toEqual({ ca });
    expect(connection({ kafkaTlsCert: client.cert, kafkaTlsKey: client.key }).ssl).toEqual({ cert, key });
    expect(connection({ kafkaTlsCert: client.both }).ssl).toEqual({ cert: both, key: both });
    const kafkaTlsKey = await certificates.encryptKey(client, 'geheim');
    expect(connection({ kafkaTlsCert: client.cert, kafkaTlsKey, kafkaTlsKeyPassword: 'geheim' }).ssl).toMatchObject({
      passphrase: 'geheim',
    });
  });

  it('authenticates by SASL', () => {
    expect(connection({ kafkaSasl: 'scram-sha-512', kafkaUser: 'u', kafkaPassword: 'p' }).sasl).toEqual({
      mechanism: 'scram-sha-512',
      username: 'u',
      password: 'p',
    });
  });

  it.each([
    [{ kafkaTlsKey: 'x' }, '--kafka-tls-cert'],
    [{ kafkaSasl: 'plain' }, '--kafka-user'],
    [{ kafkaSasl: 'plain', kafkaUser: 'u' }, '--kafka-password'],
    [{ kafkaUser: 'u', kafkaPassword: 'p' }, '--kafka-sasl'],
    [{ kafkaPassword: 'p' }, '--kafka-user'],
    [{ kafkaSasl: 'oauthbearer' }, '--kafka-oauth-token-url'],
    [{ kafkaSasl: 'oauthbearer', kafkaOauthTokenUrl: 'http://t' }, '--kafka-user'],
    [{ kafkaSasl: 'oauthbearer', kafkaOauthTokenUrl: 'http://t', kafkaUser: 'u' }, '--kafka-password'],
    [{ kafkaOauthTokenFile: 'x' }, '--kafka-sasl'],
  ])('asks for the other half of %j', (flags, missing) => {
    expect(() => connection(flags)).toThrow(expect.objectContaining({ code: 'TW1007', message: `The option ${missing} is required` }));
  });

  it.each([
    [{ kafkaSasl: 'oauthbearer', kafkaOauthTokenFile: 'x', kafkaUser: 'u' }, 'TW1015'],
    [{ kafkaSasl: 'oauthbearer', kafkaOauthTokenFile: 'x', kafkaOauthTokenUrl: 'http://t' }, 'TW1015'],
    [{ kafkaSasl: 'plain', kafkaUser: 'u', kafkaPassword: 'p', kafkaOauthScope: 's' }, 'TW1015'],
    [{ kafkaSasl: 'oauthbearer', kafkaUser: 'u', kafkaPassword: 'p', kafkaOauthTokenUrl: 'tokens' }, 'TW1006'],
  ])('refuses %j with %s', (flags, code) => {
    expect(() => connection(flags)).toThrow(expect.objectContaining({ code }));
  });

  it('has tokens from a server or a file', () => {
    const server = { kafkaUser: 'u', kafkaPassword: 'p', kafkaOauthTokenUrl: 'http://t' };
    for (const flags of [server, { kafkaOauthTokenFile: 'x' }]) {
      const { sasl, tokens } = connection({ kafkaSasl: 'oauthbearer', ...flags });
      expect(sasl).toMatchObject({ mechanism: 'oauthbearer' });
      expect(tokens).toBeDefined();
    }
  });

  it('names a file that it cannot read', () => {
    const file = certificates.file('none');
    expect(() => connection({ kafkaTlsCa: file })).toThrow(
      expect.objectContaining({ code: 'TW1017', message: `Cannot read ${file}, which --kafka-tls-ca names: ENOENT` }),
    );
  });

  it('asks for the key of a certificate that brings none', () => {
    expect(() => connection({ kafkaTlsCert: client.cert })).toThrow(
      expect.objectContaining({ code: 'TW1007', message: 'The option --kafka-tls-key is required' }),
    );
  });
});
