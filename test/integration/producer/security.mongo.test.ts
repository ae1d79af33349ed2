// The source behind TLS and access control: ways to authenticate, what each refusal says, and the rights that the documentation asks for.
import { type Mongo, startMongo } from '@tailwater/devstack';
import { type MongoAccess, mongoAccess, readTlsFiles, type TailwaterError, type TlsFileOptions, type User } from '@tailwater/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectSource, type SourceKind } from '#producer/source/mongo/connect.js';
import { checkPrivileges, neededPrivileges, sourceFailure } from '#producer/source/mongo/needed-privileges.js';
import { BadTlsServers } from '#test/support/bad-tls-servers.js';
import { type Certificate, Certificates } from '#test/support/certificates.js';
import { documentedRoles, type RoleUser, userWithRole, withoutEach } from '#test/support/documented-roles.js';

const USER = { username: 'reader', password: 'p@ss/wörd:%' };
const SUBJECT = 'O=shop,CN=producer';

let authority: Certificates;
let stranger: Certificates;
let client: Certificate;
let mongo: Mongo;
beforeAll(async () => {
  [authority, stranger] = await Promise.all([Certificates.create(), Certificates.create()]);
  const server = await authority.issue('mongod', { subject: 'O=db,CN=mongod' });
  client = await authority.issue('producer', { subject: SUBJECT });
  mongo = await startMongo({ auth: true, tls: { ca: authority.ca, both: server.both } });
  const root = await mongo.client();
  const roles = [{ role: 'read', db: 'local' }, 'readAnyDatabase'];
  await root.db('admin').command({ createUser: USER.username, pwd: USER.password, roles, mechanisms: ['SCRAM-SHA-256'] });
  await root
    .db('$external')
    .command({ createUser: 'CN=producer,O=shop', roles: roles.map((role) => (typeof role === 'string' ? { role, db: 'admin' } : role)) });
});
afterAll(async () => {
  await mongo?.stop();
  await Promise.all([authority?.[Symbol.asyncDispose](), stranger?.[Symbol.asyncDispose]()]);
});

const named = (user: RoleUser | undefined): User | undefined => user && { name: user.username, password: user.password };
const access = (user: RoleUser | undefined, files: Omit<TlsFileOptions, 'flag'> = { ca: authority.ca }): MongoAccess =>
  mongoAccess(named(user), readTlsFiles({ flag: '--mongo-tls', ...files }));

async function connect(given: MongoAccess, parameters = '', kind: SourceKind = 'oplog', port = mongo.port): Promise<string> {
  const { client: connected, replicaSet } = await connectSource(
    `mongodb://127.0.0.1:${port}/?directConnection=true${parameters}`,
    kind,
    given,
  );
  await connected.close();
  return replicaSet;
}

const failure = (work: Promise<unknown>): Promise<TailwaterError> =>
  work.then(
    () => Promise.reject(new Error('It was let in')),
    (error: TailwaterError) => error,
  );

describe('a source behind TLS', () => {
  it('lets in by SCRAM-SHA-256, whatever is in the password', async () => {
    expect(await connect(access(USER))).toBe('rs0');
    expect(await connect(access(USER), '&authMechanism=SCRAM-SHA-256')).toBe('rs0');
  });

  it('lets in by X.509, with the key in a file of its own, in the same one, and behind a password', async () => {
    const x509 = '&authMechanism=MONGODB-X509';
    const { cert, key, both } = client;
    expect(await connect(access(undefined, { ca: authority.ca, cert, key }), x509)).toBe('rs0');
    expect(await connect(access(undefined, { ca: authority.ca, cert: both }), x509)).toBe('rs0');
    const encrypted = { key: await authority.encryptKey(client, 'geheim'), keyPassword: 'geheim' };
    expect(await connect(access(undefined, { ca: authority.ca, cert, ...encrypted }), x509)).toBe('rs0');
  });

  it('says what is wrong, whoever it is about', async () => {
    await using bad = await BadTlsServers.start(authority, stranger);
    const unknown = await authority.issue('unknown', { subject: 'O=shop,CN=unknown' });
    const foreign = await stranger.issue('foreign', { subject: SUBJECT });
    const x509 = '&authMechanism=MONGODB-X509';
    // At once, because the driver looks for a server for 15 seconds.
    const cases = await Promise.all([
      failure(connect(access({ ...USER, password: 'wrong' }))),
      failure(connect(access(undefined, { ca: authority.ca, ...unknown }), x509)),
      failure(connect(access(USER, { ca: authority.ca, ...foreign }))),
      failure(connect(access(USER, { ca: stranger.ca }))),
      failure(connect(access(USER), '', 'oplog', bad.expired)),
      failure(connect(access(USER), '', 'oplog', bad.otherCa)),
      failure(connect(access(USER), '', 'oplog', bad.otherHost)),
      failure(connect(mongoAccess(named(USER), undefined))),
    ]);
    // mongod closes the connection to a client that it does not trust, and gives no reason: the hint does.
    expect(cases[2]?.hint).toContain('--mongo-tls-cert');
    expect(cases.map(({ code, message }) => `${code} ${message}`)).toEqual([
      expect.stringContaining('TW1102'),
      expect.stringContaining('TW1102'),
      expect.stringContaining('TW1101'),
      expect.stringMatching(/^TW1111 .*not trusted here/),
      expect.stringMatching(/^TW1111 .*expired/),
      expect.stringMatching(/^TW1111 .*not trusted here/),
      expect.stringMatching(/^TW1111 .*other host names/),
      expect.stringContaining('TW1101'),
    ]);
    for (const { message, hint } of cases) expect(`${message} ${hint}`).not.toContain(USER.password);
  });
});

describe('the documented rights', () => {
  const kinds: [SourceKind, string][] = [
    ['oplog', 'tailwaterOplog'],
    ['change-stream', 'tailwaterStream'],
  ];

  it.each(kinds)('of a user for %s are enough, and each that is missing is named', async (kind, name) => {
    const role = (await documentedRoles()).find((each) => each.role === name);
    if (role === undefined) throw new Error(`docs/07-security.md makes no role ${name}`);
    const root = await mongo.client();
    const needed = neededPrivileges(kind, ['shop.*']);
    const check = async (user: RoleUser): Promise<void> => {
      const source = await connectSource(`mongodb://127.0.0.1:${mongo.port}/?directConnection=true`, kind, access(user));
      try {
        await checkPrivileges(source.client, source.address, needed);
      } finally {
        await source.client.close();
      }
    };
    await check(await userWithRole(root, `${kind}-all`, role));
    for (const { action, on, rest } of withoutEach(role)) {
      const user = await userWithRole(root, `${kind}-without-${action}-on-${on}`, { privileges: rest });
      if (action === 'collStats' || on === 'local.system.replset') {
        await check(user); // It works, and says less.
        continue;
      }
      const { code, message, hint } = await failure(check(user));
      if (on === 'local.oplog.rs') expect(`${code} ${message}`).toMatch(/^TW1104 .*local\.oplog\.rs/);
      else expect(`${code} ${message} ${hint}`).toMatch(new RegExp(`^TW1113 .*: ${action} on ${on} .*grantPrivilegesToRole`));
    }
  });

  it('may be taken away while the source is read', async () => {
    const root = await mongo.client();
    const needed = neededPrivileges('oplog', ['shop.*']);
    const user = await userWithRole(root, 'revoked', { privileges: needed });
    const source = await connectSource(`mongodb://127.0.0.1:${mongo.port}/?directConnection=true`, 'oplog', access(user));
    try {
      const orders = source.client.db('shop').collection('orders');
      await orders.findOne();
      await root.db('admin').command({ revokePrivilegesFromRole: 'revoked', privileges: needed.slice(1) });
      const refused: unknown = await orders.findOne().catch((error: unknown) => error);
      expect(await sourceFailure(refused, source.client, source.address, needed)).toMatchObject({ code: 'TW1113' });
      await root.db('admin').command({ grantPrivilegesToRole: 'revoked', privileges: needed.slice(1) });
      // In the meantime somebody has granted it again.
      expect(await sourceFailure(refused, source.client, source.address, needed)).toMatchObject({ code: 'TW1109' });
    } finally {
      await source.client.close();
    }
  });
});
