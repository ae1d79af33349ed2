// The kinds of source that the producer can read, each with what turns its entries into changes. Both give the same changes.
import type { Logger } from '@tailwater/runtime';
import type { NamespaceTable } from '../changes/namespace-table.js';
import { divideMemory } from '../memory/memory-shares.js';
import { ChangeStreamSource } from '../source/change-stream/change-stream-source.js';
import { EventNormalizer } from '../source/change-stream/event-normalizer.js';
import type { EntryNormalizer } from '../source/entry-normalizer.js';
import type { MongoSource, SourceKind } from '../source/mongo/connect.js';
import type { SourceHealth } from '../source/mongo/source-health.js';
import type { NamespacePatterns } from '../source/mongo/stream-scope.js';
import type { NormalizeCounters } from '../source/normalize-counters.js';
import { Normalizer } from '../source/oplog/normalizer.js';
import { OplogSource } from '../source/oplog/oplog-source.js';
import type { ShardRoster } from '../source/sharded/shard-roster.js';
import { ShardedSource } from '../source/sharded/sharded-source.js';
import type { ChangeSource } from '../source/source.js';

export interface SourceOptions extends NamespacePatterns {
  readonly source: SourceKind;
  /** Where the document of an update comes from in a change stream. */
  readonly fullDocument: 'lookup' | 'when-available';
  /** Bytes that may be under way between MongoDB and Kafka; by default 128 MiB. */
  readonly memoryBudgetBytes?: number;
}

/**
 * @param isAwaited - whether the source's position is waited for, as by the chunks of a snapshot
 * @param roster - the shards that the checkpoint counts on
 */
export function openSource(
  source: MongoSource,
  options: SourceOptions,
  isAwaited: () => boolean,
  health: SourceHealth,
  roster: ShardRoster,
  logger: Logger,
): ChangeSource {
  const { client, version, isMongos, connection } = source;
  if (options.source === 'oplog') {
    const child = logger.child({ component: 'oplog' });
    if (!isMongos) return new OplogSource(client, connection, health, child);
    const { lanes } = divideMemory(options.memoryBudgetBytes);
    return new ShardedSource(client, connection, { laneBytes: lanes, health, roster }, child);
  }
  const postImages = options.fullDocument === 'when-available';
  const { include, exclude } = options;
  const streamOptions = { include, exclude, version, connection, isMongos, postImages, isAwaited };
  return new ChangeStreamSource(client, streamOptions, health, logger.child({ component: 'change-stream' }));
}

export function createNormalizer(
  changes: ChangeSource,
  kind: SourceKind,
  namespaces: NamespaceTable,
  counters: NormalizeCounters,
  logger: Logger,
): EntryNormalizer {
  const child = logger.child({ component: 'normalize' });
  if (kind === 'change-stream')
    return new EventNormalizer(namespaces, counters, child, changes instanceof ChangeStreamSource && changes.isMongos);
  if (!(changes instanceof ShardedSource || changes instanceof OplogSource)) throw new TypeError('The source has no oplog');
  return new Normalizer(changes, namespaces, counters, child, changes instanceof ShardedSource);
}
