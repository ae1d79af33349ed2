// Solr behind TLS and access control: who is let in, what each refusal says, and the rights that the documentation asks for.
import { type Solr, startSolr } from '@tailwater/devstack';
import { readTlsFiles, type TailwaterError, type User } from '@tailwater/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SolrOptions, SolrTarget } from '#consumer/targets/solr/solr.js';
import { Certificates } from '#test/support/certificates.js';
import { change } from '#test/unit/consumer/support/changes.js';
import { statusesOf } from '../support/statuses-of.js';

const never = new AbortController().signal;
const WRITER: User = { name: 'writer', password: 'p@ss/wörd:%' };
const NEEDED = ['schema-read', 'update'];
const withoutOne = NEEDED.map((left) => ({ name: `without-${left}`, password: 'x', permissions: NEEDED.filter((each) => each !== left) }));

let authority: Certificates;
let stranger: Certificates;
let solr: Solr;
let sequence = 0;
beforeAll(async () => {
  const users = [{ ...WRITER, permissions: NEEDED }, ...withoutOne];
  [authority, stranger] = await Promise.all([Certificates.create(), Certificates.create()]);
  const keyStore = await authority.keyStore(await authority.issue('solr'), 'store password');
  const auth = { admin: { name: 'solr', password: 'SolrRocks' }, users };
  solr = await startSolr({ auth, tls: { keyStore, password: 'store password', ca: authority.ca } });
  await solr.create('orders');
});
afterAll(async () => {
  await solr?.stop();
  await Promise.all([authority?.[Symbol.asyncDispose](), stranger?.[Symbol.asyncDispose]()]);
});

/** What a target made like this says to an upsert. */
async function apply(settings: Partial<SolrOptions>): Promise<readonly string[]> {
  const target = new SolrTarget({
    url: `${solr.url}/orders`,
    connectTimeoutMs: 1_000,
    requestTimeoutMs: 30_000,
    autoCommitInterval: 0,
    schema: 'drop',
    ids: undefined,
    updateChain: undefined,
    versionField: undefined,
    deleteVersionParameter: 'del_version',
    uniqueKey: undefined,
    tls: readTlsFiles({ flag: '--target-tls', ca: authority.ca }) ?? {},
    ...settings,
  });
  try {
    await target.connect(never);
    return statusesOf(await target.applyBatch([change(1, ++sequence)], never));
  } finally {
    await target.close();
  }
}

const refusalOf = (settings: Partial<SolrOptions>): Promise<string> =>
  apply(settings).then(
    (statuses) => `not refused: ${statuses.join()}`,
    ({ code, message, hint }: TailwaterError) => {
      expect(`${message} ${hint}`).not.toMatch(/p@ss|geheim/);
      return `${code} ${message}`;
    },
  );

describe('a Solr behind TLS and access control', () => {
  it('takes changes of a user beside the URL, and in it', async () => {
    expect(await apply({ user: WRITER })).toEqual(['applied']);
    const inUrl = `${encodeURIComponent(WRITER.name)}:${encodeURIComponent(WRITER.password)}@127.0.0.1`;
    expect(await apply({ url: `${solr.url}/orders`.replace('127.0.0.1', inUrl) })).toEqual(['applied']);
  });

  it('refuses whom it does not know', async () => {
    expect(await refusalOf({ user: { ...WRITER, password: 'geheim' } })).toMatch(/^TW1302 /);
    expect(await refusalOf({ user: { name: 'nobody', password: 'geheim' } })).toMatch(/^TW1302 /);
    expect(await refusalOf({})).toMatch(/^TW1302 /);
  });

  it('refuses who lacks one of the documented permissions, and says which', async () => {
    const [withoutSchema, withoutUpdate] = withoutOne as unknown as [User, User];
    expect(await refusalOf({ user: withoutSchema })).toMatch(/^TW1303 .* to read the schema of orders/);
    expect(await refusalOf({ user: withoutUpdate })).toMatch(/^TW1303 .* to write to orders/);
  });

  it('is reached by TLS with its CA, and not without', async () => {
    expect(await apply({ user: WRITER })).toEqual(['applied']);
    expect(await refusalOf({ user: WRITER, tls: {} })).toMatch(/^TW1312 .*not trusted here/);
    const other = readTlsFiles({ flag: '--target-tls', ca: stranger.ca }) ?? {};
    expect(await refusalOf({ user: WRITER, tls: other })).toMatch(/^TW1312 /);
    expect(await refusalOf({ user: WRITER, url: `${solr.url}/orders`.replace('https:', 'http:') })).toMatch(
      /^TW1313 .*does not speak plain HTTP/,
    );
  });
});
