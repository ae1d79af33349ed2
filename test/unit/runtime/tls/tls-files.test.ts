import { writeFileSync } from 'node:fs';
import { readTlsFiles, type TlsFileOptions } from '@tailwater/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Certificate, Certificates } from '#test/support/certificates.js';

let authority: Certificates;
let good: Certificate;
let expired: Certificate;
beforeAll(async () => {
  authority = await Certificates.create();
  [good, expired] = [await authority.issue('good'), await authority.issue('expired', { expired: true })];
});
afterAll(() => authority?.[Symbol.asyncDispose]());

const read = (given: Omit<TlsFileOptions, 'flag'>) => readTlsFiles({ flag: '--kafka-tls', ...given });

describe('the files of a TLS connection', () => {
  it('are read, and none is nothing', () => {
    expect(read({})).toBeUndefined();
    expect(read({ ca: authority.ca })).toEqual({ ca: expect.stringContaining('BEGIN CERTIFICATE') });
    expect(read({ ca: authority.ca, ...good })).toMatchObject({ key: expect.stringContaining('PRIVATE KEY'), cert: expect.any(String) });
    expect(read({ cert: good.both })).toMatchObject({ key: expect.stringContaining('PRIVATE KEY') });
  });

  it('may have an encrypted key', async () => {
    const key = await authority.encryptKey(good, 'geheim');
    expect(read({ cert: good.cert, key, keyPassword: 'geheim' })).toMatchObject({ passphrase: 'geheim' });
    for (const keyPassword of [undefined, 'wrong'])
      expect(() => read({ cert: good.cert, key, keyPassword })).toThrow(expect.objectContaining({ code: 'TW1043' }));
  });

  it('are refused with the option that names them', async () => {
    const text = authority.file('text.pem');
    writeFileSync(text, 'hello');
    const der = await authority.der(good);
    const cases: [string, Omit<TlsFileOptions, 'flag'>, RegExp][] = [
      ['TW1007', { key: good.key }, /--kafka-tls-cert/],
      ['TW1007', { cert: good.cert }, /--kafka-tls-key/],
      ['TW1017', { ca: authority.file('none.pem') }, /none\.pem, which --kafka-tls-ca names/],
      ['TW1017', { ca: authority.directory }, /EISDIR/],
      ['TW1040', { ca: text }, /--kafka-tls-ca.*no certificate/],
      ['TW1040', { ca: der }, /--kafka-tls-ca.*no certificate/],
      ['TW1040', { cert: good.cert, key: text }, /--kafka-tls-key.*no private key/],
      ['TW1041', { cert: expired.cert, key: expired.key }, /--kafka-tls-cert.*expired at 20/],
      ['TW1041', { ca: expired.cert }, /--kafka-tls-ca.*expired at 20/],
      ['TW1042', { cert: good.cert, key: expired.key }, /expired\.key does not belong to .*good\.pem/],
    ];
    for (const [code, given, message] of cases) {
      expect(() => read(given), message.source).toThrow(expect.objectContaining({ code, message: expect.stringMatching(message) }));
    }
  });
});
