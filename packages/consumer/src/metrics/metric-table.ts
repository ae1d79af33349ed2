// Every number of the consumer. Promise E: every change read ends as one of applied, superseded, filtered, dead-lettered, skipped or returned, or is buffered.
import { BUILD_INFO, KAFKA_REQUEST_SECONDS, LATENCY_BUCKETS_SECONDS, type MetricTable, READY, UP } from '@tailwater/runtime';

export const CONSUMER_METRICS = {
  buildInfo: BUILD_INFO,
  ready: READY,
  up: UP,
  member: {
    kind: 'gauge',
    name: 'tailwater_consumer_member',
    help: '1 while this process is a member of its group and has been told what to read, else 0',
  },
  rebalances: {
    kind: 'counter',
    name: 'tailwater_consumer_rebalances_total',
    help: 'Generations of the group that this process was in: one whenever a member or a topic comes or goes',
  },
  partitions: { kind: 'gauge', name: 'tailwater_consumer_partitions', help: 'Partitions that this process reads' },
  read: {
    kind: 'counter',
    name: 'tailwater_consumer_changes_read_total',
    help: 'Changes read from Kafka: applied + superseded + filtered + dead-lettered + skipped + returned + buffered',
  },
  applied: { kind: 'counter', name: 'tailwater_consumer_changes_applied_total', help: 'Changes that the target accepted' },
  namespaceApplied: {
    kind: 'counter',
    name: 'tailwater_consumer_namespace_changes_applied_total',
    help: 'Changes that the target accepted by namespace of the source; all but the `--metrics-namespaces` busiest are under `other`',
    labels: ['namespace'],
  },
  superseded: {
    kind: 'counter',
    name: 'tailwater_consumer_changes_superseded_total',
    help: 'Changes older than what the target holds, or than another of the same batch',
  },
  filtered: { kind: 'counter', name: 'tailwater_consumer_changes_filtered_total', help: 'Changes that the transform left nothing of' },
  deadLettered: {
    kind: 'counter',
    name: 'tailwater_consumer_changes_dead_lettered_total',
    help: 'Changes put aside because the target refuses them, or they cannot be decoded',
  },
  skipped: {
    kind: 'counter',
    name: 'tailwater_consumer_changes_skipped_total',
    help: 'The same, with `--on-error skip`: they are nowhere',
  },
  returned: {
    kind: 'counter',
    name: 'tailwater_consumer_changes_returned_total',
    help: 'Changes given back unapplied with their partition; the next owner reads them again',
  },
  control: {
    kind: 'counter',
    name: 'tailwater_consumer_control_records_total',
    help: 'Records that tell readers something and are no changes',
  },
  bytes: { kind: 'counter', name: 'tailwater_consumer_document_bytes_total', help: 'Bytes of the documents read' },
  requests: { kind: 'counter', name: 'tailwater_consumer_requests_total', help: 'Requests that the target answered' },
  retries: { kind: 'counter', name: 'tailwater_consumer_retries_total', help: 'Batches, or parts of one, that were tried again' },
  droppedValues: {
    kind: 'counter',
    name: 'tailwater_consumer_values_dropped_total',
    help: 'NaN and infinite numbers left out of documents, which the target cannot say',
  },
  droppedFields: {
    kind: 'counter',
    name: 'tailwater_consumer_fields_dropped_total',
    help: 'Values left out of documents because the target’s schema has no field for them; the status names them',
  },
  bufferedChanges: { kind: 'gauge', name: 'tailwater_consumer_buffered_changes', help: 'Changes read and not yet applied' },
  bufferedBytes: { kind: 'gauge', name: 'tailwater_consumer_buffered_bytes', help: 'Bytes read and not yet applied' },
  lag: {
    kind: 'gauge',
    name: 'tailwater_consumer_lag_records',
    help: 'Records of this process’s partitions that are not applied yet',
    labels: ['topic'],
  },
  behind: {
    kind: 'gauge',
    name: 'tailwater_consumer_lag_seconds',
    help: 'Seconds from what the whole group has applied to the newest commit in MongoDB: of the namespace `*` for all together, and of those that are behind most; absent while not known',
    labels: ['namespace'],
  },
  missedDeletes: {
    kind: 'gauge',
    name: 'tailwater_consumer_missed_deletes_partitions',
    help: 'Partitions whose deletes may have been missed, because the group was away for longer than deletes are kept',
  },
  targetFailing: {
    kind: 'gauge',
    name: 'tailwater_consumer_target_failing_seconds',
    help: 'For how long the target has taken nothing; 0 while it takes changes',
  },
  waitingNamespaces: {
    kind: 'gauge',
    name: 'tailwater_consumer_waiting_namespaces',
    help: 'Namespaces whose changes the target refuses while it accepts those of others',
  },
  unreadable: {
    kind: 'gauge',
    name: 'tailwater_consumer_unreadable_partitions',
    help: 'Partitions of this process that wait at a record which it cannot read, and another release or a schema registry may',
  },
  leaderless: {
    kind: 'gauge',
    name: 'tailwater_consumer_leaderless_partitions',
    help: 'Partitions of this process that no broker leads: nothing can be read of them',
  },
  deadLetters: {
    kind: 'gauge',
    name: 'tailwater_consumer_dead_letters',
    help: 'Dead letters of the target, whichever process put them aside: every process of a target says the same number; absent while not known',
  },
  batchChanges: {
    kind: 'histogram',
    name: 'tailwater_consumer_batch_changes',
    help: 'Changes per request',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000],
  },
  requestSeconds: {
    kind: 'histogram',
    name: 'tailwater_consumer_request_seconds',
    help: 'Seconds from sending a batch to the answer of the target',
    buckets: LATENCY_BUCKETS_SECONDS,
  },
  kafkaRequestSeconds: KAFKA_REQUEST_SECONDS,
} as const satisfies MetricTable;
