// Which collections of the source there are to snapshot.
import type { NamespaceRules } from '@tailwater/runtime';
import { type MongoClient, ReadPreference } from 'mongodb';
import { isUnauthorized } from '../../source/mongo/mongo-errors.js';

/** A member that lags would hide collections which the tail, that begins at the newest position, does not see being created either. */
const readPreference = ReadPreference.primary;

/** The included capped collections, of databases that the user may list. */
export async function listCapped(client: MongoClient, names: readonly string[]): Promise<string[]> {
  const capped: string[] = [];
  for (const database of new Set(names.map((name) => name.slice(0, name.indexOf('.'))))) {
    const found = await client
      .db(database)
      .listCollections({ 'options.capped': true }, { readPreference })
      .toArray()
      .catch((error: unknown) => {
        if (isUnauthorized(error)) return [];
        throw error;
      });
    for (const { name } of found) if (names.includes(`${database}.${name}`)) capped.push(`${database}.${name}`);
  }
  return capped.sort();
}

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
