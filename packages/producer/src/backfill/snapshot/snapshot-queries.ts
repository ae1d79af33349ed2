// `--snapshot-query`: filters on what is copied of a collection. They are checked with the server before anything is copied.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { parseNamespace } from '@tailwater/schema';
import { BSON, type Document, type MongoClient } from 'mongodb';

/**
 * Reads filters by namespace, in Extended JSON.
 *
 * @throws TailwaterError TW1145 for a name that is no namespace, or a text that is no Extended JSON document
 */
export function parseSnapshotQueries(texts: Readonly<Record<string, string>>): Map<string, Document> {
  return new Map(
    Object.entries(texts).map(([namespace, text]): [string, Document] => {
      const refuse = (reason: string, cause?: unknown) =>
        new TailwaterError(errorCodes.BAD_SNAPSHOT_QUERY, { namespace, reason }, { cause });
      if (parseNamespace(namespace) === undefined) throw refuse('it is no namespace db.collection');
      let query: unknown;
      try {
        // Canonical numbers keep their types.
        query = BSON.EJSON.parse(text, { relaxed: false });
      } catch (error) {
        throw refuse(error instanceof Error ? error.message : String(error), error);
      }
      if (typeof query !== 'object' || query === null || Array.isArray(query) || '_bsontype' in query)
        throw refuse('the filter is no document {…}');
      return [namespace, query];
    }),
  );
}

/**
 * Asks the server whether it understands the filters; nothing is read.
 *
 * @throws TailwaterError TW1145 with the server's reason
 */
export async function checkSnapshotQueries(client: MongoClient, queries: ReadonlyMap<string, Document>): Promise<void> {
  for (const [namespace, filter] of queries) {
    const { database, collection } = parseNamespace(namespace) as { database: string; collection: string };
    try {
      await client.db(database).command({ explain: { find: collection, filter }, verbosity: 'queryPlanner' });
    } catch (error) {
      const { code, message } = error as { code?: unknown; message: string };
      if (code === BAD_VALUE || code === FAILED_TO_PARSE || code === TYPE_MISMATCH)
        throw new TailwaterError(errorCodes.BAD_SNAPSHOT_QUERY, { namespace, reason: message }, { cause: error });
      throw error;
    }
  }
}

const BAD_VALUE = 2;
const FAILED_TO_PARSE = 9;
const TYPE_MISMATCH = 14;
