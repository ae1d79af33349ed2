// What must be true when all entries were read.
import { expect } from 'vitest';
import { COLLECTIONS } from './model-cluster.js';
import { bytesOf } from './model-shard.js';
import { IDS, type Outcome } from './scenario.js';
import { topicOf } from './sharded-pipeline.js';

/** The last record of a key is its state (promise C). Of several documents with one `_id`, which a cluster allows, it is one. */
export function expectLastRecords({ cluster, log, pipeline }: Outcome): void {
  for (const ns of COLLECTIONS) {
    const left = log.fold(topicOf(ns));
    for (let id = 0; id < IDS; id++) {
      const live = cluster.live(ns, id).map(({ document }) => bytesOf(document).toString('hex'));
      const last = left.get(String(id))?.toString('hex');
      if (live.length === 0) expect([ns, id, last]).toEqual([ns, id, undefined]);
      else expect([ns, id, live]).toEqual([ns, id, expect.arrayContaining([last])]);
    }
  }
  // Nothing is unknown, and no command of one shard speaks for the whole collection (promise E).
  expect([...pipeline.counters.unknownByKind.keys()]).toEqual([]);
  expect(pipeline.commands.filter(({ kind, isPartial }) => kind !== 'create' && isPartial !== true)).toEqual([]);
}
