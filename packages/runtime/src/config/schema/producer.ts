// `producer:` copies of collections, where the tail begins, and what a gap means.
import { z } from 'zod';
import { configOption, map, text, toggle } from '../option.js';

const group = 'Snapshot';

export const producer = {
  startAt: configOption('startAt', text().default('now'), {
    group,
    describe:
      'Where in the oplog a first start begins: now, earliest, a position t:i, a date such as 2026-01-31T08:00:00Z, or file:oplog.timestamp of mongo-connector',
  }),
  onGap: configOption('onGap', z.enum(['resnapshot', 'stop']).default('resnapshot'), {
    group: 'Source',
    describe:
      'When MongoDB has discarded changes that were not read yet: copy every collection again and remove what vanished, or end with an error',
  }),
  onRefused: configOption('onRefused', z.enum(['quarantine', 'stop']).default('quarantine'), {
    group: 'Source',
    describe:
      'When Kafka does not take a document or a namespace (a record over 20 MB, a name that no topic can have): put its changes aside in <prefix>.producer.dead-letters and go on, or end with an error',
  }),
  memoryBudget: configOption('memoryBudget', z.int().min(32).max(65_536).default(128), {
    group: 'Source',
    describe:
      'Megabytes that changes and documents may take between MongoDB and Kafka, whatever their sizes; the process itself takes some 150 more, and a few of the largest documents',
  }),
  acceptCluster: configOption('acceptCluster', text().optional(), {
    group: 'Source',
    describe: 'The id of a cluster that takes the place of the one before, as after a restore; TW1110 names it',
    placeholder: 'id',
  }),
  snapshot: {
    mode: configOption('snapshot', z.enum(['initial', 'when-needed', 'always', 'never']).default('initial'), {
      group,
      describe:
        'Which collections a start copies: initial, those that have no finished copy; when-needed, all where there is no checkpoint, or the oplog has lost its place; always, all again; never, none',
    }),
    only: configOption('snapshotOnly', toggle(), { group, describe: 'Copies, and ends with exit code 0 when all is copied' }),
    query: configOption('snapshotQuery', map().default({}), {
      group,
      describe:
        'Copies only the documents that match, as db.collection={filter in Extended JSON}; repeat it for others. Changes are published of all documents',
      placeholder: 'db.collection={…}',
      namesNamespaces: true,
      hasCommas: true,
    }),
    chunkDocuments: configOption('chunkDocuments', z.int().min(1).max(100_000).default(2000), {
      group,
      describe: 'Documents that one chunk of a snapshot reads at most',
    }),
    parallel: configOption('snapshotParallel', z.int().min(1).max(64).default(2), {
      group,
      describe: 'Chunks that are read and published at once, of one collection or of several',
    }),
    rate: configOption('snapshotRate', z.int().min(0).default(0), {
      group,
      describe: 'Documents a second that snapshots read at most; 0 for no limit',
    }),
    readPreference: configOption(
      'snapshotReadPreference',
      z.enum(['primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', 'nearest']).default('primary'),
      { group, describe: 'Members that snapshots read from' },
    ),
  },
} as const;
