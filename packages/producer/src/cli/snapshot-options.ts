// The options of `producer start` about copies of collections, and about where the tail begins.
import { SNAPSHOT_MODES } from '../snapshot/snapshot-plan.js';

const READ_PREFERENCES = ['primary', 'primaryPreferred', 'secondary', 'secondaryPreferred', 'nearest'] as const;
const group = 'Snapshot:';

export const snapshotOptions = {
  snapshot: {
    type: 'string',
    group,
    describe: 'Which collections a start copies: initial, those that have no finished copy; always, all again; never, none',
    choices: SNAPSHOT_MODES,
    default: 'initial',
  },
  startAt: {
    type: 'string',
    group,
    describe:
      'Where in the oplog a first start begins: now, earliest, a position t:i, a date such as 2026-01-31T08:00:00Z, or file:oplog.timestamp of mongo-connector',
    default: 'now',
  },
  snapshotQuery: {
    type: 'map',
    group,
    describe:
      'Copies only the documents that match, as db.collection={filter in Extended JSON}; repeat it for others. Changes are published of all documents',
    hasCommas: true,
  },
  snapshotOnly: { type: 'boolean', group, describe: 'Copies, and ends with exit code 0 when all is copied', default: false },
  chunkDocuments: {
    type: 'number',
    group,
    describe: 'Documents that one chunk of a snapshot reads at most',
    default: 2000,
    min: 1,
    max: 100_000,
  },
  snapshotParallel: {
    type: 'number',
    group,
    describe: 'Chunks that are read and published at once, of one collection or of several',
    default: 2,
    min: 1,
    max: 64,
  },
  snapshotRate: { type: 'number', group, describe: 'Documents a second that snapshots read at most; 0 for no limit', default: 0, min: 0 },
  snapshotReadPreference: {
    type: 'string',
    group,
    describe: 'Members that snapshots read from',
    choices: READ_PREFERENCES,
    default: 'primary',
  },
} as const;
