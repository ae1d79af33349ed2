// The producer on one screen: source -> normalize -> enrich -> encode -> publish -> checkpoint, and the snapshot beside the tail.
import { abortable, runServices, sleep, TailwaterError, TopicAdvice } from '@tailwater/runtime';
import { checkpointTopicName, deadLetterTopicName, formatNamespace, signalsTopicName } from '@tailwater/schema';
import { GapWatch } from '../backfill/gap/gap-watch.js';
import { Gaps } from '../backfill/gap/gaps.js';
import { Refresher } from '../backfill/refresh/refresher.js';
import { SourceDocuments } from '../backfill/refresh/source-documents.js';
import { ChunkReader } from '../backfill/snapshot/chunk-reader.js';
import { ChunkRoom } from '../backfill/snapshot/chunk-room.js';
import { listCollections } from '../backfill/snapshot/collections.js';
import { leftOut } from '../backfill/snapshot/left-out.js';
import { lostTopics } from '../backfill/snapshot/lost-topics.js';
import { RateLimit } from '../backfill/snapshot/rate-limit.js';
import { Snapshotter } from '../backfill/snapshot/snapshotter.js';
import { startSnapshots } from '../backfill/snapshot/start-snapshots.js';
import { TopicsAhead } from '../backfill/snapshot/topics-ahead.js';
import { scanTopic } from '../backfill/sweep/kafka-topic-scan.js';
import { SourceKeys } from '../backfill/sweep/source-keys.js';
import { Sweeper } from '../backfill/sweep/sweeper.js';
import { vanished } from '../backfill/sweep/vanished.js';
import { KafkaElection } from '../election/kafka-election.js';
import { lead, type RunSession } from '../election/lead.js';
import { producerName } from '../election/producer-name.js';
import { RecordEncoder } from '../encode/record-encoder.js';
import { DocumentLookup } from '../enrich/document-lookup.js';
import { FileContents } from '../enrich/file-contents.js';
import { announceCopy } from '../headroom/preflight.js';
import { shareOut } from '../memory/memory-shares.js';
import { ensureOwnTopics } from '../publish/own-topics.js';
import { Quarantine } from '../quarantine/quarantine.js';
import { readSignals } from '../signals/kafka-signal-topic.js';
import { SignalDesk } from '../signals/signal-desk.js';
import { isRetriableMongoError } from '../source/mongo/mongo-errors.js';
import { namespaceKind } from '../source/mongo/namespace-kinds.js';
import { followCommand } from '../tail/follow-commands.js';
import { readAhead } from '../tail/read-ahead.js';
import { Pauses } from '../writer/pauses.js';
import { Sequencer } from '../writer/sequencer.js';
import { TailProgress } from '../writer/tail-progress.js';
import { TouchedKeys } from '../writer/touched-keys.js';
import type { PipelineDependencies, PipelineOptions } from './options.js';
import { type RunStages, runSession, type Session } from './session.js';
import { createNormalizer } from './source-kinds.js';

/** A stopping producer waits this long for its last transaction, in milliseconds; the next start repeats what it lost. */
const DRAIN_MS = 5000;

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
  let tooLargeAt: string | undefined;
  // The limit of a topic was lowered: the next session knows, and puts aside what is larger. One that comes no further says what it is.
  const isOnceTooLarge = (error: unknown): boolean => {
    if (!(error instanceof TailwaterError && error.code === 'TW1204')) return false;
    const [before, now] = [tooLargeAt, String(state.position())];
    tooLargeAt = now;
    return now !== before;
  };
  const isPassing = (error: unknown): boolean => gaps.notice(error) || isRetriable(error) || isOnceTooLarge(error);
  const advice = new TopicAdvice(kafka.brokers, options.prefix, deps.logger.child({ component: 'publish' }));
  const stages: RunStages = (session, stop) => runStages(deps, options, session, stop);
  const session: RunSession = (stop, onRunning) => runSession(deps, options, { gaps, advice }, stages, stop, onRunning);
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
  const topicsAhead = new TopicsAhead((wanted) => quarantine.ensure(wanted), options.partitions);
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
      ensureTopics: (wanted) => topicsAhead.need(wanted),
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
      scan: (topic, sized, take, stop) => scanTopic(deps.kafka, topic, sized, take, stop),
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
  const told = { topics: session.topics, checkpoint: session.checkpoint, namespaceOf: (name: string) => namespaces.byName(name), logger };
  await startSnapshots({
    plan: deps.plan,
    snapshotter,
    checkpoint: session.checkpoint,
    collections,
    lost: await lostTopics(told, collections),
    leftOut: leftOut(session.checkpoint, (name) => namespaces.byName(name).included, source.replicaSet),
    sweep: (namespace) => sweeper.adopt(namespace, 'replaced'),
    ensureTopics: (wanted) => quarantine.ensure(wanted),
    expectTopics: (wanted) => topicsAhead.expect(wanted),
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
        await session.changes.passed?.(batch.end);
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
    [tail, snapshotter, sweeper, desk, gapWatch, proof, session.topicWatch, announcement, session.baseKeeper],
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
