// Connects to the source and checks, before anything is read, what the pipeline stands on: a replica set, and the right to read its oplog.
import {
  errorCodes,
  isMissingFile,
  type MongoAccess,
  redactAddress,
  redactError,
  TailwaterError,
  withConnectionString,
} from '@tailwater/runtime';
import { type MongoClient, MongoError } from 'mongodb';
import { createSourceClient, type SourceConnection } from './client.js';
import { readClusterId } from './cluster-id.js';
import { isRetriableMongoError, isUnauthorized, toMongoError } from './mongo-errors.js';
import { listShards } from './shards.js';

/** What is read for changes: the oplog itself, or a change stream, which needs no access to `local`. */
export type SourceKind = 'oplog' | 'change-stream';

/** The name under which the checkpoints of a sharded cluster are kept, read through a mongos. */
const CLUSTER_NAME = 'sharded-cluster';

export interface MongoSource {
  readonly client: MongoClient;
  readonly connection: SourceConnection;
  /** Connected to a mongos: the changes of all shards come through it. */
  readonly isMongos: boolean;
  /** The replica set's name: checkpoints are kept under it. */
  readonly replicaSet: string;
  /** Which cluster it is, whatever its name; undefined where the user may not know. */
  readonly clusterId: string | undefined;
  /** The connection string without what is secret in it. */
  readonly address: string;
  /** The server's version, as `buildInfo` gives it. */
  readonly version: string;
}

/**
 * @param uri - a MongoDB connection string, https://www.mongodb.com/docs/manual/reference/connection-string/
 * @param access - what is kept out of the connection string
 * @throws TailwaterError TW1101 unreachable, TW1102 wrong credentials, TW1103 a standalone mongod, TW1104 no right to read
 *   the oplog, TW1105 a config server, TW1107 a malformed connection string, TW1111 no TLS connection
 */
export async function connectSource(uri: string, kind: SourceKind, access: MongoAccess = {}): Promise<MongoSource> {
  const address = redactAddress(uri);
  const connection = { uri, access };
  const client = createClient(connection, address);
  try {
    await client.connect();
    const hello = await client.db('admin').command({ hello: 1 });
    const isMongos = hello['msg'] === 'isdbgrid';
    // Only a mongos shows the documents of all shards.
    if (hello['configsvr'] !== undefined) throw new TailwaterError(errorCodes.CONFIG_SERVER_NOT_MONGOS, { address });
    const replicaSet: unknown = isMongos ? CLUSTER_NAME : hello['setName'];
    if (typeof replicaSet !== 'string') throw new TailwaterError(errorCodes.NOT_A_REPLICA_SET, { address });
    if (kind === 'oplog') await (isMongos ? checkShards(client, connection) : checkOplogAccess(client, address));
    const { version } = (await client.db('admin').command({ buildInfo: 1 })) as unknown as { version: string };
    return { client, connection, isMongos, replicaSet, clusterId: await readClusterId(client, isMongos), address, version };
  } catch (error) {
    await client.close().catch(() => {});
    throw connectFailure(toMongoError(error, address), address, uri);
  }
}

/** What is left without a code came from no server: the connection string asks for what there is not, such as a file, a package or a host. */
function connectFailure(error: unknown, address: string, uri: string): unknown {
  const isOfString = (error instanceof MongoError && !isRetriableMongoError(error)) || isMissingFile(error);
  return isOfString ? new TailwaterError(errorCodes.MALFORMED_MONGODB_URI, { address }, { cause: redactError(error, uri) }) : error;
}

/** @throws TailwaterError TW1107 for a connection string that is malformed, TW1045 for an option that does not exist */
export function checkConnectionString(uri: string, access: MongoAccess): void {
  createClient({ uri, access }, redactAddress(uri));
}

function createClient(connection: SourceConnection, address: string): MongoClient {
  const { uri } = connection;
  return withConnectionString(
    uri,
    () => createSourceClient(connection),
    (cause) => new TailwaterError(errorCodes.MALFORMED_MONGODB_URI, { address }, { cause }),
  );
}

async function checkShards(cluster: MongoClient, connection: SourceConnection): Promise<void> {
  for (const shard of await listShards(cluster, connection.uri)) {
    const address = redactAddress(shard.uri);
    const client = createClient({ ...connection, uri: shard.uri }, address);
    try {
      await checkOplogAccess(client, address);
    } catch (error) {
      throw toMongoError(error, address);
    } finally {
      await client.close();
    }
  }
}

async function checkOplogAccess(client: MongoClient, address: string): Promise<void> {
  try {
    await client
      .db('local')
      .collection('oplog.rs')
      .findOne({}, { projection: { ts: 1 } });
  } catch (error) {
    if (isUnauthorized(error)) throw new TailwaterError(errorCodes.OPLOG_ACCESS_DENIED, { address }, { cause: error });
    throw error;
  }
}
