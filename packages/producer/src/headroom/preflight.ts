// Before collections are copied: how long that takes, and whether the oplog covers as long. A copy that read the oplog only
// afterwards would depend on it; here the tail runs beside the copy, and the log says so, lest someone enlarges an oplog in vain.
import { formatBytes, formatCount, formatDuration, type Logger } from '@tailwater/runtime';
import type { MongoClient } from 'mongodb';
import { isUnauthorized } from '../source/mongo/mongo-errors.js';
import { readOplogWindow } from '../source/oplog/oplog-window.js';
import { measureHeadroom } from './headroom.js';

/** What a copy is taken to achieve, below what was measured on two cores; the log says that it is a guess. */
const DOCUMENTS_PER_SECOND = 10_000;
const BYTES_PER_SECOND = 10_000_000;

interface CopySize {
  readonly documents: number;
  /** Undefined where the user may not read a collection's size. */
  readonly bytes: number | undefined;
}

/** Seconds that a copy takes, roughly. */
export function copySeconds({ documents, bytes = 0 }: CopySize): number {
  return Math.ceil(Math.max(documents / DOCUMENTS_PER_SECOND, bytes / BYTES_PER_SECOND));
}

/** Logs the pre-flight of a copy of these namespaces (`db.collection`). What cannot be read is left out; nothing fails for it. */
export async function logCopyForecast(client: MongoClient, namespaces: readonly string[], logger: Logger): Promise<void> {
  if (namespaces.length === 0) return;
  const size = await sizeOf(client, namespaces);
  const seconds = copySeconds(size);
  const oplog = await readOplogWindow(client).catch(() => undefined);
  // The oplog holds what is written from now on for as long as it takes to fill all of it.
  const coversSeconds = oplog === undefined ? undefined : measureHeadroom(oplog, oplog.newest, undefined).secondsToLoss;
  const fits = coversSeconds === undefined ? undefined : coversSeconds === null || seconds < coversSeconds;
  const covers = typeof coversSeconds === 'number' ? `, and the oplog covers ${formatDuration(coversSeconds)}` : '';
  const amount = `${formatCount(size.documents)} documents${size.bytes === undefined ? '' : `, ${formatBytes(size.bytes)}`}`;
  const verdict = fits === undefined ? '' : fits ? ': it would fit' : ': it would not fit';
  logger.info(
    { namespaces: namespaces.length, ...size, seconds, oplogSeconds: coversSeconds ?? null, fits: fits ?? null },
    `About ${amount} are to be copied. Estimated duration: ${formatDuration(seconds)}${covers}${verdict}. The tail is read at the same time, so the copy may take as long as it needs`,
  );
}

async function sizeOf(client: MongoClient, namespaces: readonly string[]): Promise<CopySize> {
  let documents = 0;
  let bytes: number | undefined = 0;
  for (const namespace of namespaces) {
    const dot = namespace.indexOf('.');
    const collection = client.db(namespace.slice(0, dot)).collection(namespace.slice(dot + 1));
    documents += await collection.estimatedDocumentCount().catch(() => 0);
    if (bytes === undefined) continue;
    const stats = await collection
      .aggregate([{ $collStats: { storageStats: {} } }, { $group: { _id: null, size: { $sum: '$storageStats.size' } } }])
      .next()
      // A collection that is gone by now has no size; one whose size may not be read makes the sum unknown.
      .catch((error: unknown) => (isUnauthorized(error) ? undefined : null));
    bytes = stats === undefined ? undefined : bytes + Number(stats?.['size'] ?? 0);
  }
  return { documents, bytes };
}
