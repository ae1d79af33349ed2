// The producer on one screen: source -> normalize -> enrich -> encode -> publish -> checkpoint, and the snapshot beside the tail.
//
// A session lives from one claim of the checkpoint to the first failure. Whatever failed, and whether or not the last
// transaction was committed, the next session reads the checkpoint anew and goes on from there (promises A and B).
import { abortable, type KafkaClient, type Logger, type NamespaceRules, runServices, sleep, TailwaterError } from '@tailwater/runtime';
import { checkpointTopicName, formatNamespace } from '@tailwater/schema';
import type { Document, ReadPreferenceLike } from 'mongodb';
import { type Checkpoint, positionMessage } from './checkpoint/checkpoint-record.js';
import { claimCheckpoint } from './checkpoint/kafka-checkpoint-store.js';
import { Sessions } from './checkpoint/sessions.js';
import { RecordEncoder } from './encode/record-encoder.js';
import { DocumentLookup } from './enrich/document-lookup.js';
import { NamespaceTable } from './normalize/namespace-table.js';
import type { NormalizeCounters } from './normalize/normalize-counters.js';
import type { ProducerMetrics } from './producer-metrics.js';
import type { ProducerState } from './producer-state.js';
import { KafkaTopics } from './publish/kafka-topics.js';
import { KafkaTransactionSender } from './publish/kafka-transaction-sender.js';
import { Publisher } from './publish/publisher.js';
import { Sequencer } from './sequence/sequencer.js';
import { TailProgress } from './sequence/tail-progress.js';
import { ChunkReader } from './snapshot/chunk-reader.js';
import { listCollections } from './snapshot/collections.js';
import { RateLimit } from './snapshot/rate-limit.js';
import type { SnapshotPlan } from './snapshot/snapshot-plan.js';
import type { SnapshotReport } from './snapshot/snapshot-report.js';
import { Snapshotter } from './snapshot/snapshotter.js';
import { startSnapshots } from './snapshot/start-snapshots.js';
import { TouchedKeys } from './snapshot/touched-keys.js';
import type { MongoSource } from './source/mongo/connect.js';
import { isRetriableMongoError } from './source/mongo/mongo-errors.js';
import { resolveStartAt, type StartAt } from './source/oplog/start-at.js';
import type { ChangeSource } from './source/source.js';
import { createNormalizer, openSource, type SourceOptions } from './source-kinds.js';
import { followCommand } from './sweep/follow-commands.js';
import { SourceKeys } from './sweep/source-keys.js';
import { Sweeper } from './sweep/sweeper.js';
import { vanished } from './sweep/vanished.js';

/** A session that failed is followed by another after this long, doubling up to the maximum, in milliseconds. */
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
/** A stopping producer waits this long for its last transaction, in milliseconds; the next start repeats what it lost. */
const DRAIN_MS = 5000;

export interface PipelineDependencies {
  readonly source: MongoSource;
  readonly kafka: KafkaClient;
  readonly rules: NamespaceRules;
  readonly counters: NormalizeCounters;
  readonly metrics: ProducerMetrics;
  readonly report: SnapshotReport;
  readonly plan: SnapshotPlan;
  readonly state: ProducerState;
  readonly logger: Logger;
}

export interface PipelineOptions extends SourceOptions {
  readonly prefix: string;
  readonly partitions: number;
  readonly replicationFactor: number;
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
}

/**
 * Runs sessions until the signal aborts.
 *
 * @throws TailwaterError for what no retry cures, such as TW1106 (the position has left the oplog) or TW1205 (fenced)
 */
export async function runPipeline(deps: PipelineDependencies, options: PipelineOptions, signal: AbortSignal): Promise<void> {
  const { state, logger } = deps;
  const sessions = new Sessions();
  for (let failures = 0; !signal.aborted; ) {
    try {
      await runSession(deps, options, sessions, signal, () => {
        failures = 0;
      });
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!isRetriable(error)) throw error;
      failures += 1;
      state.phase = 'recovering';
      state.lastError = error instanceof Error ? error.message : String(error);
      const delayMs = Math.min(FIRST_DELAY_MS * 2 ** (failures - 1), MAX_DELAY_MS);
      logger.warn({ err: error, failures, delayMs }, 'The pipeline was interrupted; it goes on from its checkpoint');
      await sleep(delayMs, signal);
    }
  }
}

async function runSession(
  deps: PipelineDependencies,
  options: PipelineOptions,
  sessions: Sessions,
  signal: AbortSignal,
  onRunning: () => void,
): Promise<void> {
  const { source, kafka, logger, state } = deps;
  const admin = kafka.admin();
  let sender: KafkaTransactionSender | undefined;
  try {
    // Without Kafka these wait for it without end, which a stop must not.
    await abortable(admin.connect(), signal);
    const topics = new KafkaTopics(admin, options, kafka.brokers);
    const checkpointTopic = checkpointTopicName(options.prefix);
    await abortable(topics.ensureTopic(checkpointTopic, 1), signal);
    const location = { topic: checkpointTopic, source: source.replicaSet };
    await abortable(sessions.expectNotReplaced(kafka, location), signal);
    sender = await abortable(KafkaTransactionSender.connect(kafka, `${options.prefix}.producer.${source.replicaSet}`), signal);
    const publisher = new Publisher(sender);
    const claim = claimCheckpoint(kafka, location, sessions.begin(), async (message) => {
      await publisher.submit({ topics: [{ topic: checkpointTopic, messages: [message] }] });
      await publisher.flush();
    });
    const checkpoint = await abortable(claim, signal);
    // The chunks of a snapshot wait for the tail to pass them.
    const changes = openSource(source, options, () => deps.report.totals().state === 'running', logger);
    const start = checkpoint.position ?? (await resolveStartAt(source.client, options.source, changes, options.startAt));
    if (checkpoint.position === undefined) {
      // Before the first document is copied: a crash during the first snapshot must find where the tail began.
      await publisher.submit({ topics: [{ topic: checkpointTopic, messages: [positionMessage(source.replicaSet, start, Date.now())] }] });
    }
    logger.info({ position: start.toString(), first: checkpoint.position === undefined, source: options.source }, 'Tailing');
    onRunning();
    state.phase = 'running';
    state.lastError = undefined;
    await runStages(deps, options, { topics, publisher, changes, checkpoint, checkpointTopic, start }, signal);
  } finally {
    await Promise.allSettled([sender?.close(), admin.disconnect()]);
  }
}

interface Session {
  readonly topics: KafkaTopics;
  readonly publisher: Publisher;
  readonly changes: ChangeSource;
  readonly checkpoint: Checkpoint;
  readonly checkpointTopic: string;
  readonly start: Checkpoint['position'] & {};
}

async function runStages(deps: PipelineDependencies, options: PipelineOptions, session: Session, signal: AbortSignal): Promise<void> {
  const { source, rules, metrics, report, state, logger } = deps;
  const namespaces = new NamespaceTable(rules);
  const progress = new TailProgress(session.start);
  state.position = () => progress.end;
  const touched = new TouchedKeys();
  const sequencer: Sequencer = new Sequencer({
    normalizer: createNormalizer(source.client, options.source, namespaces, deps.counters, logger),
    lookup: new DocumentLookup(source.client),
    encoder: new RecordEncoder(),
    topics: session.topics,
    publisher: session.publisher,
    touched,
    progress,
    metrics,
    source: source.replicaSet,
    checkpointTopic: session.checkpointTopic,
    onCommand: (command) => followCommand({ snapshotter, sweeper, logger }, command),
  });
  const { snapshotParallel: parallel, snapshotReadPreference: readPreference, snapshotRate, snapshotQueries: queries } = options;
  // A second's worth at most, so that a low rate is no sequence of long pauses.
  const chunkDocuments = snapshotRate === 0 ? options.chunkDocuments : Math.min(options.chunkDocuments, snapshotRate);
  const reader = new ChunkReader(source.client, { documents: chunkDocuments, readPreference, queries });
  const snapshotLogger = logger.child({ component: 'snapshot' });
  const snapshotter: Snapshotter = new Snapshotter(
    { client: source.client, reader, sequencer, progress, touched, report, rate: new RateLimit(snapshotRate), logger: snapshotLogger },
    { source: source.replicaSet, parallel, chunkDocuments, readPreference },
    session.checkpoint,
  );
  const sweeper: Sweeper = new Sweeper(
    {
      kafka: deps.kafka,
      topics: session.topics,
      keys: new SourceKeys(source.client),
      sequencer,
      progress,
      touched,
      metrics,
      source: source.replicaSet,
      group: `${options.prefix}.sweep`,
      logger: logger.child({ component: 'sweep' }),
    },
    session.checkpoint,
    (name) => namespaces.byName(name),
  );
  state.sweeps = () => sweeper.statuses();
  const collections = (await listCollections(source.client, rules)).map((name) => namespaces.byName(name));
  await startSnapshots({
    plan: deps.plan,
    snapshotter,
    checkpoint: session.checkpoint,
    collections,
    withoutTopic: await session.topics.missing(collections),
    note: (records) => sequencer.note(() => records),
  });
  const copied = new AbortController();
  if (options.snapshotOnly) void snapshotter.idle().then(() => copied.abort(new Error('Everything is copied')));
  const published = (await session.topics.namespaces()).map((namespace) => namespaces.byName(formatNamespace(namespace)));
  for (const namespace of vanished(published, collections, session.checkpoint)) await sweeper.request(namespace, 'vanished');
  const tail = {
    run: async (stop: AbortSignal): Promise<void> => {
      for await (const batch of session.changes.read(session.start, stop)) await sequencer.tail(batch);
    },
  };
  await runServices([tail, snapshotter, sweeper], AbortSignal.any([signal, copied.signal]));
  state.phase = 'stopping';
  const drained = sequencer.finish();
  if (!signal.aborted) return abortable(drained, signal);
  await Promise.race([drained, sleep(DRAIN_MS, AbortSignal.timeout(DRAIN_MS + 1000))]);
}

/** What Kafka's client throws without a code of ours is its business with the brokers: a new session tries again. */
function isRetriable(error: unknown): boolean {
  if (error instanceof TailwaterError) return error.retriable;
  return isRetriableMongoError(error) || (error instanceof Error && error.name.startsWith('KafkaJS'));
}
