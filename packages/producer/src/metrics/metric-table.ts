// Every number of the producer. Promise E: events read = published + superseded + filtered + quarantined.
import { LATENCY_BUCKETS_SECONDS, type MetricTable, UP } from '@tailwater/runtime';

export const PRODUCER_METRICS = {
  up: UP,
  oplogEntriesRead: {
    kind: 'counter',
    name: 'tailwater_producer_oplog_entries_read_total',
    help: 'Oplog entries read, of any kind and namespace',
  },
  eventsRead: {
    kind: 'counter',
    name: 'tailwater_producer_events_read_total',
    help: 'Inserts, updates and deletes read from the oplog: published + superseded + filtered + quarantined',
  },
  eventsPublished: { kind: 'counter', name: 'tailwater_producer_events_published_total', help: 'Events of the tail committed to Kafka' },
  eventsSuperseded: {
    kind: 'counter',
    name: 'tailwater_producer_events_superseded_total',
    help: 'Updates whose document was deleted meanwhile; their tombstones follow',
  },
  eventsFiltered: { kind: 'counter', name: 'tailwater_producer_events_filtered_total', help: 'Events of namespaces that are not included' },
  eventsQuarantined: {
    kind: 'counter',
    name: 'tailwater_producer_events_quarantined_total',
    help: 'Events that Kafka does not take, committed to the producer’s dead letters',
  },
  unknownEntries: {
    kind: 'counter',
    name: 'tailwater_producer_unknown_entries_total',
    help: 'Oplog entries of kinds that are not understood',
    labels: ['kind'],
  },
  snapshotRead: { kind: 'counter', name: 'tailwater_producer_snapshot_documents_read_total', help: 'Documents read by snapshots' },
  snapshotPublished: {
    kind: 'counter',
    name: 'tailwater_producer_snapshot_documents_published_total',
    help: 'Documents of snapshots committed to Kafka',
  },
  snapshotSuperseded: {
    kind: 'counter',
    name: 'tailwater_producer_snapshot_documents_superseded_total',
    help: 'Documents of snapshots that the tail had published meanwhile',
  },
  snapshotQuarantined: {
    kind: 'counter',
    name: 'tailwater_producer_snapshot_documents_quarantined_total',
    help: 'Documents of snapshots that Kafka does not take, committed to the producer’s dead letters',
  },
  snapshotRunning: {
    kind: 'gauge',
    name: 'tailwater_producer_snapshot_running',
    help: '1 while collections are copied or wait for their turn',
  },
  snapshotDocuments: {
    kind: 'gauge',
    name: 'tailwater_producer_snapshot_documents',
    help: 'Documents copied of all collections that were asked for',
  },
  snapshotTotalDocuments: {
    kind: 'gauge',
    name: 'tailwater_producer_snapshot_total_documents',
    help: 'Documents that these collections have, by MongoDB’s estimate until they are copied',
  },
  snapshotDocumentsPerSecond: {
    kind: 'gauge',
    name: 'tailwater_producer_snapshot_documents_per_second',
    help: 'Documents copied a second, lately',
  },
  snapshotEtaSeconds: {
    kind: 'gauge',
    name: 'tailwater_producer_snapshot_eta_seconds',
    help: 'Seconds until the snapshot is done at that rate; NaN while nothing is copied',
  },
  filesTooLarge: {
    kind: 'counter',
    name: 'tailwater_producer_gridfs_files_too_large_total',
    help: 'Times that a file was published without its content, which is over `--gridfs-max-bytes`',
  },
  filesIncomplete: {
    kind: 'counter',
    name: 'tailwater_producer_gridfs_files_incomplete_total',
    help: 'Times that a file was published without its content, because the source lacked chunks of it',
  },
  sweepRead: { kind: 'counter', name: 'tailwater_producer_sweep_records_read_total', help: 'Records of topics read by sweeps' },
  sweepPublished: {
    kind: 'counter',
    name: 'tailwater_producer_sweep_tombstones_published_total',
    help: 'Tombstones committed to Kafka for documents that the source no longer had',
  },
  gaps: { kind: 'counter', name: 'tailwater_producer_gaps_total', help: 'Times that the source no longer held the checkpoint' },
  publishedBytes: {
    kind: 'counter',
    name: 'tailwater_producer_published_bytes_total',
    help: 'Bytes of keys and values committed to Kafka',
  },
  transactions: { kind: 'counter', name: 'tailwater_producer_transactions_total', help: 'Kafka transactions committed' },
  transactionSeconds: {
    kind: 'histogram',
    name: 'tailwater_producer_transaction_seconds',
    help: 'Seconds from handing a batch to Kafka to its commit',
    buckets: LATENCY_BUCKETS_SECONDS,
  },
  positionAge: {
    kind: 'gauge',
    name: 'tailwater_producer_position_age_seconds',
    help: 'Age of the newest oplog entry that was read; about 10 at most on an idle source',
  },
  heldBack: {
    kind: 'gauge',
    name: 'tailwater_producer_held_back_seconds',
    help: 'For how long writes have waited for a majority of the replica set',
    labels: ['source'],
  },
  oplogWindow: {
    kind: 'gauge',
    name: 'tailwater_producer_oplog_window_seconds',
    help: 'Seconds from the oldest to the newest oplog entry',
    labels: ['source'],
  },
  oplogUsedBytes: { kind: 'gauge', name: 'tailwater_producer_oplog_used_bytes', help: 'Bytes in the oplog', labels: ['source'] },
  oplogMaxBytes: {
    kind: 'gauge',
    name: 'tailwater_producer_oplog_max_bytes',
    help: 'Bytes that the oplog may grow to',
    labels: ['source'],
  },
  oplogWritten: {
    kind: 'gauge',
    name: 'tailwater_producer_oplog_written_bytes_per_second',
    help: 'How fast the oplog is written, over the last five minutes',
    labels: ['source'],
  },
  headroomSeconds: {
    kind: 'gauge',
    name: 'tailwater_producer_headroom_seconds',
    help: 'Seconds from the oldest oplog entry to the checkpoint',
    labels: ['source'],
  },
  headroomPercent: {
    kind: 'gauge',
    name: 'tailwater_producer_headroom_percent',
    help: 'What of the oplog may still be written before it passes the checkpoint',
    labels: ['source'],
  },
  headroomLoss: {
    kind: 'gauge',
    name: 'tailwater_producer_headroom_loss_seconds',
    help: 'Seconds until the checkpoint would be lost if it stood still; absent while that is not in sight',
    labels: ['source'],
  },
} as const satisfies MetricTable;
