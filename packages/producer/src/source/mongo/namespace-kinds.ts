// What a name stands for at the source. A view has no documents of its own, and the oplog says nothing of them: what can be read of it
// is never what a topic is to hold.
import { formatNamespace, type Namespace } from '@tailwater/schema';
import { type MongoClient, MongoServerError, ReadPreference } from 'mongodb';

export type NamespaceKind = 'collection' | 'view' | 'timeseries';

/** InvalidPipelineOperator: a read of a view becomes an aggregation, which knows neither `min` nor `showRecordId`. */
const NOT_OF_A_VIEW = 168;
const COMMAND_NOT_SUPPORTED_ON_VIEW = 166;

/** A read that only a collection answers, such as one with `min` or `showRecordId`, was asked of a view or of time series. */
export const isRefusedByView = (error: unknown): boolean => error instanceof MongoServerError && error.code === NOT_OF_A_VIEW;

/** A change stream was opened on a view or on time series. */
export const isUnwatchable = (error: unknown): boolean => error instanceof MongoServerError && error.code === COMMAND_NOT_SUPPORTED_ON_VIEW;

/** Undefined where there is nothing of the name, or nothing that the user may see. */
export async function namespaceKind(client: MongoClient, { database, collection }: Namespace): Promise<NamespaceKind | undefined> {
  const options = { nameOnly: true, authorizedCollections: true, readPreference: ReadPreference.primary };
  const [found] = await client.db(database).listCollections({ name: collection }, options).toArray();
  return found?.type as NamespaceKind | undefined;
}

/** Of these namespaces, those that are no collections. */
export async function withoutDocuments(
  client: MongoClient,
  namespaces: readonly Namespace[],
): Promise<{ readonly namespace: string; readonly kind: 'view' | 'timeseries' }[]> {
  const found: { namespace: string; kind: 'view' | 'timeseries' }[] = [];
  for (const namespace of namespaces) {
    const kind = await namespaceKind(client, namespace);
    if (kind === 'view' || kind === 'timeseries') found.push({ namespace: formatNamespace(namespace), kind });
  }
  return found;
}
