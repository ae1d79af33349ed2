import { isSecretName, redact, redactAddress, redactError, redactUrl } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('redactUrl', () => {
  it.each([
    ['mongodb://user:pass@h1:27017,h2:27017/?replicaSet=rs0', 'mongodb://user:***@h1:27017,h2:27017/?replicaSet=rs0'],
    ['mongodb+srv://u:p%40ss@cluster.example/', 'mongodb+srv://u:***@cluster.example/'],
    ['mongodb://u:raw@and/slash:colon@host/db', 'mongodb://u:***@host/db'],
    ['http://u:p@h1:9200,http://u:q@h2:9200', 'http://u:***@h1:9200,http://u:***@h2:9200'],
    ['https://:only@h/', 'https://:***@h/'],
    ['mongodb://u:1234@h/', 'mongodb://u:***@h/'],
    ["cannot parse 'mongodb://u:it's@h' (twice)", "cannot parse 'mongodb://u:***@h' (twice)"],
    [String.raw`{"uri":"mongodb://u:a\"b@h"}`, '{"uri":"mongodb://u:***@h"}'],
  ])('masks the password of %s', (text, expected) => {
    expect(redactUrl(text)).toBe(expected);
  });

  it.each([
    'mongodb://h1:27017,h2:27017/?appName=a@b',
    'http://host:9200/path@x',
    'mongodb://user@host/',
    'http://[::1]:9200/',
    'mail a:b@c without a scheme',
    '{"a":"http://h:9200","b":"c@d"}',
  ])('leaves %s alone', (text) => {
    expect(redactUrl(text)).toBe(text);
  });
});

describe('redactAddress', () => {
  it.each([
    ['mongodb:/app:pass@db1', '***@db1'],
    ['app:pass@db1:27017', '***@db1:27017'],
    ['mongodb://app:pass', 'mongodb://app:***'],
    ['mongodb://app:pass/?tls=true', 'mongodb://app:***/?tls=true'],
    ['mongodb://app:pa ss"@db1', 'mongodb://app:***@db1'],
    ['mongodb://app:pass@db1:27017', 'mongodb://app:***@db1:27017'],
  ])('masks the password of %s, URI or not', (text, expected) => {
    expect(redactAddress(text)).toBe(expected);
  });

  it.each(['mongodb://h1:27017,h2:27017/?a=b', 'http://[::1]:9200/', 'https://h1:9200,https://h2:9200', 'cloud:name:aGVsbG8='])(
    'leaves %s alone',
    (text) => {
      expect(redactAddress(text)).toBe(text);
    },
  );
});

describe('redactError', () => {
  it('takes out of an error what is secret in the URI that it is about', () => {
    const uri = 'mongodb://app:pass';
    expect(redactError(new Error('Unable to parse app:pass'), uri)).toEqual(new Error('Unable to parse app:***'));
    const other = new Error('Unknown option');
    expect(redactError(other, uri)).toBe(other);
  });
});

describe('redact', () => {
  it.each([
    ['password=hunter2, next', 'password=***, next'],
    ['{"password":"a\\"b","n":1}', '{"password":"***","n":1}'],
    ['{"token":123,"n":1}', '{"token":"***","n":1}'],
    ['{"secret":null}', '{"secret":"***"}'],
    ['{"msg":"{\\"apiKey\\":\\"zzz\\",\\"a\\":1}"}', '{"msg":"{\\"apiKey\\":\\"***\\",\\"a\\":1}"}'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer ***'],
    ["'sasl_password': 'x y'", "'sasl_password': '***'"],
    ['?tlsCertificateKeyFilePassword=xyz&tls=true', '?tlsCertificateKeyFilePassword=***&tls=true'],
    ['at mongodb://u:p@h with password: q', 'at mongodb://u:***@h with password: ***'],
  ])('masks %s', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it.each(['resumeToken: 8263', 'the password is wrong', 'tokens: 5', '{"password":{"a":1}}'])('leaves %s alone', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('keeps every JSON line JSON', () => {
    const value = { password: 'p"\\', nested: { apiKey: 1, token: true, uri: 'mongodb://u:p"x@h', text: 'secret="a b" token=c' } };
    const line = redact(JSON.stringify(value));
    expect(JSON.parse(line)).toEqual({
      password: '***',
      nested: { apiKey: '***', token: '***', uri: 'mongodb://u:***@h', text: 'secret="***" token=***' },
    });
  });

  it('takes linear time', () => {
    const text = 'a.b-c_d='.repeat(100_000);
    const start = performance.now();
    redact(text);
    redact('http://a:'.repeat(2_000));
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});

describe('isSecretName', () => {
  it('knows secrets by the end of their names', () => {
    expect(['password', 'saslPassword', 'api_key', 'API-KEY', 'authToken', 'clientSecret'].every(isSecretName)).toBe(true);
    expect(['resumeToken', 'user', 'passwordFile', 'tokens'].some(isSecretName)).toBe(false);
  });
});

it('masks a password in a URI however long tokens are', () => {
  const password = 'aB3/'.repeat(1000);
  expect(redactUrl(`connecting to mongodb://u:${password}@h:27017/db failed`)).toBe('connecting to mongodb://u:***@h:27017/db failed');
});
