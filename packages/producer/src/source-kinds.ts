// The kinds of source that the producer can read, each with what turns its entries into changes. Both give the same changes.
import type { Logger } from '@tailwater/runtime';
import type { MongoClient } from 'mongodb';
import type { EntryNormalizer } from './normalize/entry-normalizer.js';
import { EventNormalizer } from './normalize/event-normalizer.js';
import type { NamespaceTable } from './normalize/namespace-table.js';
import type { NormalizeCounters } from './normalize/normalize-counters.js';
import { Normalizer } from './normalize/normalizer.js';
import { ChangeStreamSource } from './source/change-stream/change-stream-source.js';
import type { NamespacePatterns } from './source/change-stream/scope.js';
import type { MongoSource, SourceKind } from './source/mongo/connect.js';
import { OplogSource } from './source/oplog/oplog-source.js';
import { TransactionEntries } from './source/oplog/transaction-entries.js';
import type { ChangeSource } from './source/source.js';

export interface SourceOptions extends NamespacePatterns {
  readonly source: SourceKind;
  /** Where the document of an update comes from in a change stream. */
  readonly fullDocument: 'lookup' | 'when-available';
}

/** @param isAwaited - whether somebody waits for the source's position to move on, as the chunks of a snapshot do */
export function openSource(source: MongoSource, options: SourceOptions, isAwaited: () => boolean, logger: Logger): ChangeSource {
  if (options.source === 'oplog') return new OplogSource(source.client, logger.child({ component: 'oplog' }));
  const { version, isMongos } = source;
  const postImages = options.fullDocument === 'when-available';
  const { include, exclude } = options;
  const streamOptions = { include, exclude, version, isMongos, postImages, isAwaited };
  return new ChangeStreamSource(source.client, streamOptions, logger.child({ component: 'change-stream' }));
}

export function createNormalizer(
  client: MongoClient,
  kind: SourceKind,
  namespaces: NamespaceTable,
  counters: NormalizeCounters,
  logger: Logger,
): EntryNormalizer {
  const child = logger.child({ component: 'normalize' });
  return kind === 'oplog'
    ? new Normalizer(new TransactionEntries(client), namespaces, counters, child)
    : new EventNormalizer(namespaces, counters, child);
}
