import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaConnection, kafkaOptions, loadOptions } from '@tailwater/runtime';
import { afterAll, describe, expect, it } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'tailwater-kafka-'));
const file = (name: string): string => {
  writeFileSync(join(directory, name), `${name} of PEM`);
  return join(directory, name);
};
afterAll(() => rmSync(directory, { recursive: true }));

const connection = (flags: Record<string, string | boolean>) => {
  const given = Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]));
  return kafkaConnection(loadOptions(kafkaOptions, { flags: given, env: {} }), 'test');
};

describe('kafkaConnection', () => {
  it('is plain by default', () => {
    expect(connection({})).toEqual({ brokers: ['127.0.0.1:9092'], clientId: 'test' });
  });

  it('uses TLS when told to, or given a file', () => {
    expect(connection({ kafka: 'a:1,b:2', kafkaTls: true })).toEqual({ brokers: ['a:1', 'b:2'], clientId: 'test', ssl: true });
    expect(connection({ kafkaTlsCa: file('ca') }).ssl).toEqual({ ca: 'ca of PEM' });
    expect(connection({ kafkaTlsCert: file('cert'), kafkaTlsKey: file('key') }).ssl).toEqual({ cert: 'cert of PEM', key: 'key of PEM' });
  });

  it('authenticates by SASL', () => {
    expect(connection({ kafkaSasl: 'scram-sha-512', kafkaUser: 'u', kafkaPassword: 'p' }).sasl).toEqual({
      mechanism: 'scram-sha-512',
      username: 'u',
      password: 'p',
    });
  });

  it.each([
    [{ kafkaTlsCert: 'x' }, '--kafka-tls-key'],
    [{ kafkaTlsKey: 'x' }, '--kafka-tls-cert'],
    [{ kafkaSasl: 'plain' }, '--kafka-user'],
    [{ kafkaSasl: 'plain', kafkaUser: 'u' }, '--kafka-password'],
    [{ kafkaUser: 'u', kafkaPassword: 'p' }, '--kafka-sasl'],
    [{ kafkaPassword: 'p' }, '--kafka-user'],
  ])('asks for the other half of %j', (flags, missing) => {
    expect(() => connection(flags)).toThrow(expect.objectContaining({ code: 'TW1007', message: `The option ${missing} is required` }));
  });

  it('names a file that it cannot read', () => {
    expect(() => connection({ kafkaTlsCa: join(directory, 'none') })).toThrow(
      expect.objectContaining({ code: 'TW1017', message: `Cannot read ${join(directory, 'none')}, which --kafka-tls-ca names: ENOENT` }),
    );
  });
});
