// The producer on one screen: source -> normalize -> enrich -> encode -> publish -> checkpoint, and the snapshot beside the tail.
//
// A session lives from one claim of the checkpoint to the first failure, or to the loss of the lead. Whatever failed, and whether
// or not the last transaction was committed, the next session reads the checkpoint anew and goes on from there (promises A and B).
import { randomUUID } from 'node:crypto';
import {
  abortable,
  type CompiledNamespaceRules,
  type KafkaClient,
  type Logger,
  runServices,
  sleep,
  TailwaterError,
} from '@tailwater/runtime';
import { checkpointTopicName, deadLetterTopicName, formatNamespace, type SchemaIds, signalsTopicName } from '@tailwater/schema';
import type { Document, ReadPreferenceLike } from 'mongodb';
import { CheckpointBase } from './checkpoint/base.js';
import { BaseKeeper } from './checkpoint/base-keeper.js';
import { type Checkpoint, type CheckpointMessage, positionMessage } from './checkpoint/checkpoint-record.js';
import { claimCheckpoint } from './checkpoint/kafka-checkpoint-store.js';
import { expectSameCluster } from './checkpoint/same-cluster.js';
import { RecordEncoder, type ValueFormat } from './encode/record-encoder.js';
import { DocumentLookup } from './enrich/document-lookup.js';
import { FileContents } from './enrich/file-contents.js';
import { announceCopy } from './headroom/preflight.js';
import { KafkaElection } from './lead/kafka-election.js';
import { lead, type RunSession } from './lead/lead.js';
import { producerName } from './lead/producer-name.js';
import { shareOut } from './memory-shares.js';
import { NamespaceTable } from './normalize/namespace-table.js';
import type { NormalizeCounters } from './normalize/normalize-counters.js';
import type { ProducerMetrics } from './producer-metrics.js';
import type { ProducerState } from './producer-state.js';
import { CHECKPOINT_LIMITS } from './publish/kafka-small-topics.js';
import { KafkaTopics } from './publish/kafka-topics.js';
import { KafkaTransactionSender } from './publish/kafka-transaction-sender.js';
import { ensureOwnTopics } from './publish/own-topics.js';
import { Publisher } from './publish/publisher.js';
import type { SubjectIds } from './publish/subject-ids.js';
import { TopicAdvice } from './publish/topic-settings.js';
import { type OnRefused, Quarantine } from './quarantine/quarantine.js';
import { Sequencer } from './sequence/sequencer.js';
import { TailProgress } from './sequence/tail-progress.js';
import { readSignals } from './signals/kafka-signal-topic.js';
import { Pauses } from './signals/pauses.js';
import { Refresher } from './signals/refresher.js';
import { SignalDesk } from './signals/signal-desk.js';
import { SourceDocuments } from './signals/source-documents.js';
import { ChunkReader } from './snapshot/chunk-reader.js';
import { ChunkRoom } from './snapshot/chunk-room.js';
import { listCollections } from './snapshot/collections.js';
import { RateLimit } from './snapshot/rate-limit.js';
import type { SnapshotPlan } from './snapshot/snapshot-plan.js';
import type { SnapshotReport } from './snapshot/snapshot-report.js';
import { Snapshotter } from './snapshot/snapshotter.js';
import { startSnapshots } from './snapshot/start-snapshots.js';
import { TouchedKeys } from './snapshot/touched-keys.js';
import type { MongoSource } from './source/mongo/connect.js';
import { isRetriableMongoError } from './source/mongo/mongo-errors.js';
import { namespaceKind } from './source/mongo/namespace-kinds.js';
import type { SourceHealth } from './source/mongo/source-health.js';
import { resolveStartAt, type StartAt } from './source/oplog/start-at.js';
import { readAhead } from './source/read-ahead.js';
import type { ChangeSource } from './source/source.js';
import { createNormalizer, openSource, type SourceOptions } from './source-kinds.js';
import { followCommand } from './sweep/follow-commands.js';
import { GapWatch } from './sweep/gap-watch.js';
import { Gaps, type OnGap } from './sweep/gaps.js';
import { scanTopic } from './sweep/kafka-topic-scan.js';
import { SourceKeys } from './sweep/source-keys.js';
import { Sweeper } from './sweep/sweeper.js';
import { vanished } from './sweep/vanished.js';

/** A stopping producer waits this long for its last transaction, in milliseconds; the next start repeats what it lost. */
const DRAIN_MS = 5000;

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
  /** What becomes of a checkpoint that the source no longer holds. */
  readonly onGap: OnGap;
  /** What becomes of a document or namespace that Kafka does not take; by default it is put aside. */
  readonly onRefused?: OnRefused;
}

/**
 * Runs sessions while this process leads, and stands by while another does, until the signal aborts.
 *
 * @throws TailwaterError for what no retry cures, such as TW1106 (the position has left the oplog) with `onGap: 'stop'`
 */
export async function runPipeline(deps: PipelineDependencies, options: PipelineOptions, signal: AbortSignal): Promise<void> {
  const { source, kafka, state } = deps;
  const logger = deps.logger.child({ component: 'lead' });
  const topic = checkpointTopicName(options.prefix);
  const group = { topic, groupId: producerName(options.prefix, source.replicaSet), sessionTimeoutMs: options.sessionTimeoutMs };
  const gaps = new Gaps(options.onGap, deps.metrics, state, deps.logger.child({ component: 'gap' }));
  const isPassing = (error: unknown): boolean => gaps.notice(error) || isRetriable(error);
  const advice = new TopicAdvice(kafka.brokers, options.prefix, deps.logger.child({ component: 'publish' }));
  const session: RunSession = (stop, onRunning) => runSession(deps, options, { gaps, advice }, stop, onRunning);
  try {
    await abortable(ensureOwnTopics(kafka, options, advice, logger), signal);
    const election = new KafkaElection(kafka, group, logger);
    const tell = (error: unknown, fields: object): boolean => {
      const isMongo = isRetriableMongoError(error);
      if (isMongo) deps.health.interrupted(error, fields);
      return isMongo;
    };
    await lead({ election, state, logger, isRetriable: isPassing, tell }, session, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

async function runSession(
  deps: PipelineDependencies,
  options: PipelineOptions,
  { gaps, advice }: { readonly gaps: Gaps; readonly advice: TopicAdvice },
  signal: AbortSignal,
  onRunning: () => void,
): Promise<void> {
  const { source, kafka, logger, state } = deps;
  const admin = kafka.admin();
  let sender: KafkaTransactionSender | undefined;
  try {
    // Without Kafka these wait for it without end, which a stop must not.
    await abortable(admin.connect(), signal);
    const topics = new KafkaTopics(admin, options, kafka.brokers, { subjects: deps.subjects, advice });
    const checkpointTopic = checkpointTopicName(options.prefix);
    await abortable(topics.ensureTopic(checkpointTopic, 1, CHECKPOINT_LIMITS), signal);
    await abortable(topics.ensureLog(signalsTopicName(options.prefix)), signal);
    const location = { topic: checkpointTopic, source: source.replicaSet };
    sender = await abortable(KafkaTransactionSender.connect(kafka, producerName(options.prefix, source.replicaSet)), signal);
    const base = new CheckpointBase(source.replicaSet);
    const publisher = new Publisher(sender, (records) => {
      for (const { topic, messages } of records)
        if (topic === checkpointTopic) for (const { key, value } of messages) base.take(String(key), value);
    });
    const announce = async (message: CheckpointMessage): Promise<void> => {
      await publisher.submit({ topics: [{ topic: checkpointTopic, messages: [message] }] });
      await publisher.flush();
    };
    const claim = claimCheckpoint(kafka, location, randomUUID(), announce, { signal, base, logger });
    const claimed = await abortable(claim, signal);
    topics.remember(claimed.partitions);
    const noted = expectSameCluster(claimed, source, options.acceptCluster);
    if (noted.length > 0) await publisher.submit({ topics: [{ topic: checkpointTopic, messages: noted }] });
    // The chunks of a snapshot wait for the tail to pass them.
    const changes = openSource(source, options, () => deps.report.totals().state === 'running', deps.health, logger);
    const namespaces = new NamespaceTable(deps.rules);
    const known = await gaps.heal(claimed, {
      publisher,
      topics,
      checkpointTopic,
      source: source.replicaSet,
      namespaceOf: (name) => namespaces.byName(name),
      newestPosition: () => changes.newestPosition(),
      collections: () => listCollections(source.client, deps.rules),
    });
    const start = known.position ?? (await resolveStartAt(source, options.source, changes, options.startAt));
    let checkpoint = known;
    if (known.position === undefined) {
      // Before the first document is copied: a crash during the first snapshot must find where the tail began.
      const collections = (await listCollections(source.client, deps.rules)).map((name) => namespaces.byName(name));
      const [begun, messages] = deps.plan.begin(known, collections, source.replicaSet);
      checkpoint = begun;
      messages.push(positionMessage(source.replicaSet, start, Date.now()));
      await publisher.submit({ topics: [{ topic: checkpointTopic, messages }] });
    }
    logger.info(
      { position: start.toString(), first: known.position === undefined, source: options.source },
      `Reading the ${options.source === 'oplog' ? 'oplog' : 'change stream'} from ${new Date(start.t * 1000).toISOString()} on`,
    );
    // That a session has begun proves little: it runs when something that it read, if only that there is nothing new, is published.
    const confirm = (): void => {
      onRunning();
      state.phase = 'running';
      state.lastError = undefined;
      deps.health.confirmed();
    };
    const end = (): Promise<bigint> => topics.endOf(checkpointTopic);
    const baseKeeper = new BaseKeeper({ kafka, end, publisher, base, location, logger });
    const session = { namespaces, topics, publisher, changes, checkpoint, checkpointTopic, start, baseKeeper, confirm };
    await runStages(deps, options, session, signal);
  } finally {
    await Promise.allSettled([sender?.close(), admin.disconnect()]);
  }
}

interface Session {
  readonly namespaces: NamespaceTable;
  readonly topics: KafkaTopics;
  readonly publisher: Publisher;
  readonly changes: ChangeSource;
  readonly checkpoint: Checkpoint;
  readonly checkpointTopic: string;
  readonly start: Checkpoint['position'] & {};
  readonly baseKeeper: BaseKeeper;
  /** What was read lately is published, or would be if nobody had paused it. */
  readonly confirm: () => void;
}

async function runStages(deps: PipelineDependencies, options: PipelineOptions, session: Session, signal: AbortSignal): Promise<void> {
  const { source, rules, metrics, report, state, health, logger } = deps;
  const { namespaces } = session;
  const progress = new TailProgress(session.start);
  state.position = () => progress.end;
  const touched = new TouchedKeys();
  const shares = shareOut(options.memoryBudgetBytes);
  const { maxFileBytes } = options;
  const filesLogger = logger.child({ component: 'gridfs' });
  const contents = maxFileBytes === undefined ? undefined : new FileContents(source.client, maxFileBytes, metrics, filesLogger);
  const quarantine = new Quarantine({
    topics: session.topics,
    topic: deadLetterTopicName(options.prefix, 'producer'),
    onRefused: options.onRefused ?? 'quarantine',
    logger: logger.child({ component: 'quarantine' }),
  });
  state.quarantine = () => quarantine.statuses();
  const sequencer: Sequencer = new Sequencer({
    normalizer: createNormalizer(session.changes, options.source, namespaces, deps.counters, logger),
    lookup: new DocumentLookup(source.client, shares.lookup),
    contents,
    encoder: new RecordEncoder(options.valueFormat, shares.kept),
    shares,
    topics: quarantine,
    quarantine,
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
  const chunk = { documents: chunkDocuments, chunkBytes: shares.chunk, contentBytes: contents?.bytesOf };
  const reader = new ChunkReader(source.client, { ...chunk, readPreference, queries });
  const pauses = new Pauses(session.checkpoint.paused);
  state.paused = () => pauses.current;
  const snapshotLogger = logger.child({ component: 'snapshot' });
  const snapshotter: Snapshotter = new Snapshotter(
    {
      client: source.client,
      reader,
      sequencer,
      progress,
      touched,
      report,
      rate: new RateLimit(snapshotRate),
      room: new ChunkRoom(shares.chunks),
      pauses,
      health,
      logger: snapshotLogger,
    },
    { source: source.replicaSet, parallel, chunkDocuments, readPreference },
    session.checkpoint,
  );
  const keys = new SourceKeys(source.client);
  const sweeper: Sweeper = new Sweeper(
    {
      scan: (topic, sized, take, stop) => scanTopic(deps.kafka, { topic, group: `${options.prefix}.sweep` }, sized, take, stop),
      topics: session.topics,
      keys,
      sequencer,
      progress,
      touched,
      metrics,
      source: source.replicaSet,
      schemas: deps.schemas,
      health,
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
    ensureTopics: (wanted) => quarantine.ensure(wanted),
    note: async (records) => {
      await sequencer.note(() => records);
      await sequencer.settled();
    },
  });
  const copied = new AbortController();
  if (options.snapshotOnly) void snapshotter.idle().then(() => copied.abort(new Error('Everything is copied')));
  const published = (await session.topics.namespaces()).map((namespace) => namespaces.byName(formatNamespace(namespace)));
  for (const namespace of vanished(published, collections, session.checkpoint)) await sweeper.request(namespace, 'vanished');
  const desk = new SignalDesk(
    {
      read: (from, take, stop) => readSignals(deps.kafka, signalsTopicName(options.prefix), from, take, stop),
      namespaceOf: (name) => namespaces.byName(name),
      kindOf: (namespace) => namespaceKind(source.client, namespace),
      snapshotter,
      sweeper,
      refresher: new Refresher({ documents: new SourceDocuments(source.client, shares.lookup), keys, sequencer, progress, touched }),
      sequencer,
      pauses,
      source: source.replicaSet,
      logger: logger.child({ component: 'signals' }),
    },
    session.checkpoint,
  );
  const tail = {
    run: async (stop: AbortSignal): Promise<void> => {
      // Small batches wait for what is on its way, unless a snapshot's chunk waits for the tail.
      const untilFree = (): Promise<void> => (progress.isAwaited ? Promise.resolve() : session.publisher.idle());
      for await (const batch of readAhead(session.changes, session.start, untilFree, shares.readAhead, stop)) {
        if (pauses.current.tail) session.confirm();
        await pauses.free('tail', stop);
        if (stop.aborted) break;
        await sequencer.tail(batch);
        if (state.phase === 'running' && health.trouble === undefined) continue;
        await session.publisher.flush();
        if (!stop.aborted) session.confirm();
      }
    },
  };
  // An idle leader that was fenced is to know within its session timeout.
  const quietMs = options.sessionTimeoutMs / 2;
  const proof = {
    run: async (stop: AbortSignal): Promise<void> => {
      for (await sleep(quietMs, stop); !stop.aborted; await sleep(quietMs, stop)) await sequencer.proveLead(quietMs);
    },
  };
  const announcement = { run: () => announceCopy(source.client, report.pending(), snapshotLogger) };
  const isBusy = (): boolean => report.totals().state === 'running' || sweeper.statuses().length > 0;
  const gapWatch = new GapWatch({ sequencer, state, source: source.replicaSet, isBusy, logger }, session.checkpoint.gap);
  await runServices(
    [tail, snapshotter, sweeper, desk, gapWatch, proof, announcement, session.baseKeeper],
    AbortSignal.any([signal, copied.signal]),
  );
  state.phase = 'stopping';
  const drained = sequencer.finish();
  if (!signal.aborted) return abortable(drained, signal);
  await Promise.race([drained, sleep(DRAIN_MS, AbortSignal.timeout(DRAIN_MS + 1000))]);
}

/** What Kafka's client throws without a code of ours is its business with the brokers: a new session tries again. */
function isRetriable(error: unknown): boolean {
  // A topic that somebody deleted is made and filled again by the next session, and a broker may not know a new one yet.
  if (error instanceof TailwaterError) return error.retriable || error.code === 'TW1209';
  return isRetriableMongoError(error) || (error instanceof Error && error.name.startsWith('KafkaJS'));
}
