// What the pipeline is given: what it stands on, and how it is to run.
import type { CompiledNamespaceRules, KafkaClient, Logger } from '@tailwater/runtime';
import type { SchemaIds } from '@tailwater/schema';
import type { Document, ReadPreferenceLike } from 'mongodb';
import type { OnGap } from '../backfill/gap/gaps.js';
import type { SnapshotPlan } from '../backfill/snapshot/snapshot-plan.js';
import type { SnapshotReport } from '../backfill/snapshot/snapshot-report.js';
import type { ValueFormat } from '../encode/record-encoder.js';
import type { ProducerMetrics } from '../metrics/producer-metrics.js';
import type { SubjectIds } from '../publish/subject-ids.js';
import type { OnRefused } from '../quarantine/quarantine.js';
import type { MongoSource } from '../source/mongo/connect.js';
import type { SourceHealth } from '../source/mongo/source-health.js';
import type { NormalizeCounters } from '../source/normalize-counters.js';
import type { StartAt } from '../source/oplog/start-at.js';
import type { ProducerState } from './producer-state.js';
import type { SourceOptions } from './source-kinds.js';

export interface PipelineDependencies {
  readonly source: MongoSource;
  readonly kafka: KafkaClient;
  readonly rules: CompiledNamespaceRules;
  /** Where a schema registry is used. */
  readonly subjects: SubjectIds | undefined;
  readonly schemas: SchemaIds;
  readonly counters: NormalizeCounters;
  readonly metrics: ProducerMetrics;
  readonly report: SnapshotReport;
  readonly plan: SnapshotPlan;
  readonly state: ProducerState;
  readonly health: SourceHealth;
  readonly logger: Logger;
}

export interface PipelineOptions extends SourceOptions {
  readonly valueFormat: ValueFormat;
  readonly prefix: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  /** The id of a cluster that may take the place of the one that the checkpoint was read from. */
  readonly acceptCluster: string | undefined;
  /** Where a first start begins. */
  readonly startAt: StartAt;
  /** Ends when everything that was to be copied is. */
  readonly snapshotOnly: boolean;
  /** By namespace: only documents that match are copied. */
  readonly snapshotQueries: ReadonlyMap<string, Document>;
  /** Documents a second that snapshots read at most; 0 for no limit. */
  readonly snapshotRate: number;
  readonly snapshotReadPreference: ReadPreferenceLike;
  /** Documents in one chunk of a snapshot. */
  readonly chunkDocuments: number;
  /** Chunks that are read and published at once. */
  readonly snapshotParallel: number;
  /** A leader that gives no sign of life for so many milliseconds is replaced. */
  readonly sessionTimeoutMs: number;
  /** Bytes of a GridFS file's content that are published with it at most; undefined where no bucket is marked. */
  readonly maxFileBytes?: number | undefined;
  /** How often topics in use are looked at again, in milliseconds. */
  readonly topicLookMs?: number;
  /** What becomes of a checkpoint that the source no longer holds. */
  readonly onGap: OnGap;
  /** What becomes of a document or namespace that Kafka does not take; by default it is put aside. */
  readonly onRefused?: OnRefused;
}
