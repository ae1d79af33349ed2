// Starts a MongoDB and makes a replica set of it.
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Artifacts } from '../artifacts/artifacts.js';
import { Supervisor } from '../supervision/supervisor.js';
import { freePort } from '../support/free-port.js';
import { waitFor } from '../support/wait-for.js';
import { MongoMember } from './member.js';
import { Mongo } from './mongo.js';
import type { MongoCredentials, MongoOptions } from './options.js';

const START_TIMEOUT_MS = 120_000;
const DEFAULT_OPLOG_MB = 64;

/**
 * Starts mongod 6.0.5 (or the one that is installed) as a replica set and returns when it has a primary and every other
 * member is a secondary.
 *
 * @throws {MissingPrerequisiteError} when no mongod can be had
 * @throws {ServerStartError} with the end of the log, when one does not come up
 */
export async function startMongo(options: MongoOptions = {}): Promise<Mongo> {
  const mongod = await (options.artifacts ?? new Artifacts()).mongod();
  const supervisor = await Supervisor.launch('mongo');
  try {
    return await startMembers(options, mongod, supervisor);
  } catch (error) {
    await supervisor.close();
    throw error;
  }
}

async function startMembers(options: MongoOptions, mongod: string, supervisor: Supervisor): Promise<Mongo> {
  const count = options.members ?? 1;
  const replicaSet = count === 0 ? undefined : (options.replicaSet ?? 'rs0');
  const credentials = options.auth === true ? { username: 'root', password: randomBytes(12).toString('hex') } : undefined;
  const args = [...(await commonArgs(options, replicaSet, supervisor.directory)), ...(options.args ?? [])];
  let initiated = false;
  const members: MongoMember[] = [];
  for (let index = 0; index < Math.max(1, count); index++) {
    const port = index === 0 && options.port !== undefined ? options.port : await freePort();
    members.push(
      new MongoMember({ name: `mongod-${index}`, port, supervisor, mongod, args, tls: options.tls, initiated: () => initiated }),
    );
  }
  await Promise.all(members.map((member) => member.start()));
  if (replicaSet !== undefined) {
    await initiate(members, replicaSet, options.arbiter === true);
    initiated = true;
  }
  const mongo = new Mongo({ members, supervisor, replicaSet, credentials, tls: options.tls });
  if (credentials !== undefined) await createRoot(replicaSet === undefined ? members[0] : await mongo.primary(), credentials);
  return mongo;
}

async function commonArgs(options: MongoOptions, replicaSet: string | undefined, directory: string): Promise<string[]> {
  // When all members end at once, the primary has no member to hand over to: it need not look for 15 seconds.
  const args = ['--setParameter', 'shutdownTimeoutMillisForSignaledShutdown=1000'];
  if (replicaSet !== undefined) args.push('--replSet', replicaSet, '--oplogSize', String(options.oplogSizeMb ?? DEFAULT_OPLOG_MB));
  if (options.syncDelaySeconds !== undefined) args.push('--syncdelay', String(options.syncDelaySeconds));
  if (options.tls !== undefined) {
    args.push('--tlsMode', 'requireTLS', '--tlsCAFile', options.tls.ca, '--tlsCertificateKeyFile', options.tls.both);
    if (options.tls.clientsMust !== true) args.push('--tlsAllowConnectionsWithoutCertificates');
  }
  if (options.auth !== true) return args;
  if (replicaSet === undefined) return [...args, '--auth'];
  const keyFile = join(directory, 'key');
  await writeFile(keyFile, randomBytes(48).toString('base64'), { mode: 0o400 });
  return [...args, '--keyFile', keyFile]; // which turns access control on
}

async function initiate(members: readonly MongoMember[], replicaSet: string, arbiter: boolean): Promise<void> {
  const config = {
    _id: replicaSet,
    members: members.map((member, index) => ({ _id: index, host: member.host, arbiterOnly: arbiter && index === members.length - 1 })),
    // A fifth of the defaults: a killed primary is replaced in about two seconds.
    settings: { electionTimeoutMillis: 2_000, heartbeatIntervalMillis: 500 },
  };
  await members[0]?.withClient((client) => client.db('admin').command({ replSetInitiate: config }));
  await waitFor(() => statesOf(members), {
    describe: 'one primary, and all others secondaries or arbiters',
    until: (states) => states.filter((state) => state === 'primary').length === 1 && !states.includes('neither'),
    timeoutMs: START_TIMEOUT_MS,
  });
}

async function statesOf(members: readonly MongoMember[]): Promise<('primary' | 'other' | 'neither')[]> {
  const answers = await Promise.all(members.map((member) => member.hello()));
  return answers.map((hello) =>
    hello['isWritablePrimary'] === true ? 'primary' : hello['secondary'] === true || hello['arbiterOnly'] === true ? 'other' : 'neither',
  );
}

// Over the localhost exception: while there is no user, a local connection may make the first one.
async function createRoot(primary: MongoMember | undefined, { username, password }: MongoCredentials): Promise<void> {
  await primary?.withClient((client) => client.db('admin').command({ createUser: username, pwd: password, roles: ['root'] }));
}
