// What the source's user must be allowed to do, and what the server says that it is.
import {
  type ConnectionStatus,
  describePrivileges,
  errorCodes,
  grantOf,
  missingPrivileges,
  type Privilege,
  parseNamespacePattern,
  type Resource,
  TailwaterError,
} from '@tailwater/runtime';
import type { MongoClient } from 'mongodb';
import type { SourceKind } from './connect.js';
import { isUnauthorized, toMongoError } from './mongo-errors.js';
import { scopeOf } from './stream-scope.js';

/** https://www.mongodb.com/docs/manual/reference/privilege-actions/ */
export function neededPrivileges(kind: SourceKind, include: readonly string[]): Privilege[] {
  const resources = readResources(include);
  if (kind === 'oplog') return [{ resource: { db: 'local', collection: 'oplog.rs' }, actions: ['find'] }, ...resources.map(toFind)];
  const { database = '', collection = '' } = scopeOf({ include, exclude: [] });
  const others = resources.filter((resource) => resource.db !== database || resource.collection !== collection);
  return [{ resource: { db: database, collection }, actions: ['find', 'changeStream'] }, ...others.map(toFind)];
}

const toFind = (resource: Resource): Privilege => ({ resource, actions: ['find'] });

/** One collection where the pattern names one, else the database, else all of them. */
function readResources(include: readonly string[]): { db: string; collection: string }[] {
  if (include.length === 0) return [{ db: '', collection: '' }];
  return include.map((text) => {
    const { database, collection, plain } = parseNamespacePattern(text, 'include');
    if (database.length > 1) return { db: '', collection: '' };
    return { db: database[0] as string, collection: plain ? (collection[0] as string) : '' };
  });
}

/**
 * @param address - without secrets, for messages
 * @throws TailwaterError TW1113 with every privilege that is missing
 */
export async function checkPrivileges(client: MongoClient, address: string, needed: readonly Privilege[]): Promise<void> {
  const status = (await client.db('admin').command({ connectionStatus: 1, showPrivileges: true })) as ConnectionStatus;
  const missing = missingPrivileges(status, needed);
  if (missing.length === 0) return;
  throw new TailwaterError(errorCodes.PRIVILEGES_MISSING, { address, privileges: describePrivileges(missing), grant: grantOf(missing) });
}

/**
 * The coded error for what the source threw while it was read. A user may lose a right, or be dropped, while the producer runs: what
 * was refused is in the cause, which right that is says the server.
 */
export async function sourceFailure(error: unknown, client: MongoClient, address: string, needed: readonly Privilege[]): Promise<unknown> {
  if (!isUnauthorized(error)) return toMongoError(error, address);
  try {
    await checkPrivileges(client, address, needed);
  } catch (found) {
    return found instanceof TailwaterError ? found : toMongoError(found, address);
  }
  return new TailwaterError(errorCodes.MONGODB_ACCESS_DENIED, { address }, { cause: error });
}
