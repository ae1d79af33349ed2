// MongoDB as a target behind TLS and access control: ways to authenticate, what each refusal says, and the rights that the documentation
// asks for.
import { type Mongo, startMongo } from '@tailwater/devstack';
import { readTlsFiles, type TailwaterError, type TlsFileOptions } from '@tailwater/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Change } from '#consumer/changes/change.js';
import { MongoTarget } from '#consumer/targets/mongo/mongo.js';
import { BadTlsServers } from '#test/support/bad-tls-servers.js';
import { type Certificate, Certificates } from '#test/support/certificates.js';
import { documentedRoles, type RoleUser, userWithRole, withoutEach } from '#test/support/documented-roles.js';
import { change } from '#test/unit/consumer/support/changes.js';
import { raw } from '../support/bson-zoo.js';
import { statusesOf } from '../support/statuses-of.js';

const USER = { username: 'writer', password: 'p@ss/wörd:%' };
const ORDERS = { database: 'copy', collection: 'orders' };
const FILES = { database: 'copy', collection: 'fs.files' };
const X509 = '&authMechanism=MONGODB-X509';
const never = new AbortController().signal;

let authority: Certificates;
let stranger: Certificates;
let client: Certificate;
let mongo: Mongo;
let sequence = 0;

beforeAll(async () => {
  [authority, stranger] = await Promise.all([Certificates.create(), Certificates.create()]);
  const server = await authority.issue('mongod', { subject: 'O=db,CN=mongod' });
  client = await authority.issue('consumer', { subject: 'O=shop,CN=consumer' });
  mongo = await startMongo({ members: 0, auth: true, tls: { ca: authority.ca, both: server.both } });
  const root = await mongo.client();
  const roles = [{ role: 'readWrite', db: 'copy' }];
  await root.db('admin').command({ createUser: USER.username, pwd: USER.password, roles });
  await root.db('$external').command({ createUser: 'CN=consumer,O=shop', roles });
});
afterAll(async () => {
  await mongo?.stop();
  await Promise.all([authority?.[Symbol.asyncDispose](), stranger?.[Symbol.asyncDispose]()]);
});

interface Access {
  readonly user?: RoleUser;
  readonly files?: Omit<TlsFileOptions, 'flag'>;
  readonly parameters?: string;
  readonly port?: number;
}

/** What a target made like this says to a few changes. */
async function apply({ user, files = { ca: authority.ca }, parameters = '', port = mongo.port }: Access, changes: readonly Change[]) {
  const tls = readTlsFiles({ flag: '--target-tls', ...files });
  const target = new MongoTarget({
    url: `mongodb://127.0.0.1:${port}/?directConnection=true${parameters}`,
    connectTimeoutMs: 1_000,
    requestTimeoutMs: 30_000,
    ...(user === undefined ? {} : { user: { name: user.username, password: user.password } }),
    ...(tls === undefined ? {} : { tls }),
  });
  try {
    await target.connect(never);
    return statusesOf(await target.applyBatch(changes, never));
  } finally {
    await target.close();
  }
}

const upsert = (id: unknown): Change => change(id, ++sequence, { namespace: ORDERS });
const removal = (id: unknown): Change =>
  change(id, ++sequence, { namespace: ORDERS, kind: 'delete', op: 'delete', document: Buffer.alloc(0) });
function file(id: unknown, text: string): Change {
  const content = Buffer.from(text);
  const document = raw({ _id: id, length: content.length, chunkSize: 1000, uploadDate: new Date(0), filename: 'f' });
  return change(id, ++sequence, { namespace: FILES, document, file: { state: 'content', content } });
}

const failure = (work: Promise<unknown>): Promise<TailwaterError> =>
  work.then(
    () => Promise.reject(new Error('It was let in')),
    (error: TailwaterError) => error,
  );

describe('a MongoDB target behind TLS', () => {
  it('takes changes of a user with a password, whatever is in it, and of a certificate', async () => {
    const { cert, key, both } = client;
    const encrypted = { key: await authority.encryptKey(client, 'geheim'), keyPassword: 'geheim' };
    const ways: Access[] = [
      { user: USER },
      { user: USER, parameters: '&authMechanism=SCRAM-SHA-1' },
      { files: { ca: authority.ca, cert, key }, parameters: X509 },
      { files: { ca: authority.ca, cert: both }, parameters: X509 },
      { files: { ca: authority.ca, cert, ...encrypted }, parameters: X509 },
    ];
    for (const way of ways) expect(await apply(way, [upsert(1), removal(2)])).toEqual(['applied', 'applied']);
  });

  it('says what is wrong, whoever it is about', async () => {
    await using bad = await BadTlsServers.start(authority, stranger);
    const unknown = await authority.issue('unknown', { subject: 'O=shop,CN=unknown' });
    const ways: [Access, RegExp][] = [
      [{ user: { ...USER, password: 'geheim' } }, /^TW1302 /],
      [{ files: { ca: authority.ca, ...unknown }, parameters: X509 }, /^TW1302 /],
      [{ user: USER, files: { ca: stranger.ca } }, /^TW1312 .*not trusted here/],
      [{ user: USER, port: bad.expired }, /^TW1312 .*expired/],
      [{ user: USER, port: bad.otherCa }, /^TW1312 .*not trusted here/],
      [{ user: USER, port: bad.otherHost }, /^TW1312 .*other host names/],
    ];
    for (const [way, expected] of ways) {
      const { code, message, hint } = await failure(apply(way, [upsert(1)]));
      expect(`${code} ${message}`).toMatch(expected);
      expect(`${message} ${hint}`).not.toMatch(/geheim|p@ss/);
    }
  });
});

describe('the documented rights of a MongoDB target', () => {
  it('are enough for documents and files, and each that is missing is named', async () => {
    const role = (await documentedRoles()).find((each) => each.role === 'tailwaterTarget');
    if (role === undefined) throw new Error('docs/07-security.md makes no role tailwaterTarget');
    const root = await mongo.client();
    const documents = (): Change[] => [upsert('a'), removal('b')];
    const files = (): Change[] => [file('f', `content ${sequence}`)];
    const all = await userWithRole(root, 'all', role);
    expect(await apply({ user: all }, [...documents(), ...files()])).toEqual(['applied', 'applied', 'applied']);
    expect(await apply({ user: all }, files())).toEqual(['applied']);
    for (const { action, rest } of withoutEach(role)) {
      const user = await userWithRole(root, `without-${action}`, { privileges: rest });
      const isForFiles = action === 'find' || action === 'createIndex';
      if (isForFiles) expect(await apply({ user }, documents())).toEqual(['applied', 'applied']);
      // A document that is not there yet, so that it must be inserted.
      const changes = isForFiles ? files() : [upsert(`new ${action}`), ...documents()];
      const { code, message } = await failure(apply({ user }, changes));
      expect(`${code} ${message}`).toMatch(new RegExp(`^TW1303 .* to ${action} on copy\\.${isForFiles ? 'fs\\.files' : 'orders'}`));
      if (!isForFiles) {
        const ofFile = await failure(apply({ user }, files()));
        expect(`${ofFile.code} ${ofFile.message}`).toMatch(new RegExp(`^TW1303 .* to ${action} on copy\\.fs\\.`));
      }
    }
  });

  it('may be taken away, which an inventory tells too', async () => {
    const root = await mongo.client();
    const user = await userWithRole(root, 'blind', { privileges: [{ resource: { db: 'copy', collection: '' }, actions: ['remove'] }] });
    const tls = readTlsFiles({ flag: '--target-tls', ca: authority.ca });
    const target = new MongoTarget({
      url: `mongodb://127.0.0.1:${mongo.port}/?directConnection=true`,
      connectTimeoutMs: 1_000,
      requestTimeoutMs: 30_000,
      user: { name: user.username, password: user.password },
      ...(tls === undefined ? {} : { tls }),
    });
    try {
      await target.connect(never);
      const inventory = await target.inventory(ORDERS);
      const { code, message } = await failure(inventory.scan(never)[Symbol.asyncIterator]().next());
      expect(`${code} ${message}`).toMatch(/^TW1303 .* to find on copy\.orders/);
    } finally {
      await target.close();
    }
  });
});
