// Which cluster this is: a name says little, for every second replica set is called rs0. A producer that is pointed at another
// one would take its place in the oplog for lost, and heal that by making the topics copies of the wrong cluster.
import type { Document, MongoClient } from 'mongodb';

/**
 * The id that MongoDB gave to the replica set, or to the sharded cluster, when it was initiated; undefined for a user who may not
 * read it, such as one that only watches change streams.
 * https://www.mongodb.com/docs/manual/reference/replica-configuration/#mongodb-rsconf-rsconf.settings.replicaSetId
 */
export async function readClusterId(client: MongoClient, isMongos: boolean): Promise<string | undefined> {
  try {
    if (isMongos) return idOf((await client.db('config').collection('version').findOne())?.['clusterId']);
    const config: Document | null = await client.db('local').collection('system.replset').findOne();
    return idOf(config?.['settings']?.['replicaSetId']);
  } catch {
    return undefined;
  }
}

const idOf = (id: unknown): string | undefined => (id === undefined || id === null ? undefined : String(id));
