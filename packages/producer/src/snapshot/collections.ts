// Which collections of the source there are to snapshot.
import type { NamespaceRules } from '@tailwater/runtime';
import { type MongoClient, ReadPreference } from 'mongodb';

/** A member that lags would hide collections which the tail, that begins at the newest position, does not see being created either. */
const readPreference = ReadPreference.primary;

/** The names `db.coll` of the included collections that exist; views and time series are not collections. */
export async function listCollections(client: MongoClient, rules: NamespaceRules): Promise<string[]> {
  const names: string[] = [];
  const { databases } = await client.db('admin').admin().listDatabases({ nameOnly: true, authorizedDatabases: true, readPreference });
  for (const { name: database } of databases) {
    const collections = await client
      .db(database)
      .listCollections({ type: 'collection' }, { nameOnly: true, authorizedCollections: true, readPreference })
      .toArray();
    for (const { name: collection } of collections) if (rules.includes(database, collection)) names.push(`${database}.${collection}`);
  }
  return names.sort();
}
