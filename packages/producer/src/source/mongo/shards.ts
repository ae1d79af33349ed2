// The shards of a cluster, as its config servers list them, and how each is reached.
import type { Position } from '@tailwater/schema';
import { type MongoClient, Timestamp } from 'mongodb';

/** As `config.shards` has it. */
export interface ListedShard {
  readonly name: string;
  /** `replica set/host:port,host:port` */
  readonly host: string;
}

export interface Shard extends ListedShard {
  /** Connection string of its replica set, with the credentials that the cluster was given. */
  readonly uri: string;
}

/** Parameters that say how to find the cluster, which is not how to find a shard; case does not matter in their names. */
const OF_THE_CLUSTER = ['replicaset', 'directconnection', 'loadbalanced', 'srvmaxhosts', 'srvservicename'];
const CONNECTION_STRING = /^mongodb(\+srv)?:\/\/(?:([^@/]*)@)?[^/?]*(?:\/([^?]*))?(?:\?(.*))?$/;

/**
 * Reads `config.shards` through a mongos.
 *
 * @param uri - the connection string of the cluster
 * @param notBefore - the list is that of this cluster time or later
 */
export async function listShards(client: MongoClient, uri: string, notBefore?: Position): Promise<Shard[]> {
  return client.withSession({ causalConsistency: true }, async (session) => {
    if (notBefore !== undefined) session.advanceOperationTime(new Timestamp({ t: notBefore.t, i: notBefore.i }));
    const shards = client.db('config').collection<{ _id: string; host: string }>('shards');
    const found = await shards.find({}, { sort: { _id: 1 }, session, readConcern: 'majority', readPreference: 'primary' }).toArray();
    return found.map(({ _id, host }) => ({ name: _id, host, uri: shardUri(uri, host) }));
  });
}

/** The same for one member of a replica set alone. */
export function memberUri(uri: string, host: string): string {
  const alone = shardUri(uri, host);
  return `${alone}${alone.endsWith('?') ? '' : '&'}directConnection=true`;
}

/** @param host - `replica set/host:port,host:port` */
export function shardUri(uri: string, host: string): string {
  const [, srv, user, database = '', query] = CONNECTION_STRING.exec(uri) ?? [];
  const slash = host.indexOf('/');
  const parameters = new URLSearchParams(query ?? '');
  // What mongodb+srv means besides finding hosts.
  const names = [...parameters.keys()];
  if (srv !== undefined && !names.some((name) => /^(tls|ssl)$/i.test(name))) parameters.set('tls', 'true');
  for (const name of names) if (OF_THE_CLUSTER.includes(name.toLowerCase())) parameters.delete(name);
  if (slash > 0) parameters.set('replicaSet', host.slice(0, slash));
  return `mongodb://${user === undefined ? '' : `${user}@`}${host.slice(slash + 1)}/${database}?${parameters}`;
}
