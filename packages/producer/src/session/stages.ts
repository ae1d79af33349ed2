// The stages of a session, built in the order in which they know one another: the writer, what is backfilled beside the tail, the tail, and what answers signals.
import { abortable, runServices, type Service, sleep } from '@tailwater/runtime';
import { deadLetterTopicName, formatNamespace } from '@tailwater/schema';
import { BackfillWriter } from '../backfill/backfill-writer.js';
import { GapWatch } from '../backfill/gap/gap-watch.js';
import { Refresher } from '../backfill/refresh/refresher.js';
import { SourceDocuments } from '../backfill/refresh/source-documents.js';
import { ChunkBudget } from '../backfill/snapshot/chunk-budget.js';
import { ChunkReader } from '../backfill/snapshot/chunk-reader.js';
import { listCollections } from '../backfill/snapshot/collections.js';
import { leftOut } from '../backfill/snapshot/left-out.js';
import { lostTopics } from '../backfill/snapshot/lost-topics.js';
import { RateLimit } from '../backfill/snapshot/rate-limit.js';
import { Snapshotter } from '../backfill/snapshot/snapshotter.js';
import { startSnapshots } from '../backfill/snapshot/start-snapshots.js';
import { TopicsAhead } from '../backfill/snapshot/topics-ahead.js';
import { SourceKeys } from '../backfill/source-keys.js';
import { scanTopic } from '../backfill/sweep/kafka-topic-scan.js';
import { Sweeper } from '../backfill/sweep/sweeper.js';
import { vanishedNamespaces } from '../backfill/sweep/vanished-namespaces.js';
import { RecordEncoder } from '../encode/record-encoder.js';
import { DocumentLookup } from '../enrich/document-lookup.js';
import { FileContents } from '../enrich/file-contents.js';
import { logCopyForecast } from '../headroom/preflight.js';
import { divideMemory, type MemoryShares } from '../memory/memory-shares.js';
import { Quarantine } from '../quarantine/quarantine.js';
import { SignalProcessor } from '../signals/signal-processor.js';
import { namespaceKind } from '../source/mongo/namespace-kinds.js';
import { readCommitPoint } from '../source/oplog/oplog-window.js';
import { CommitTimeWriter } from '../tail/commit-time-writer.js';
import { followCommand } from '../tail/follow-commands.js';
import { Tail } from '../tail/tail.js';
import { TailWriter } from '../tail/tail-writer.js';
import { OrderedWriter } from '../writer/ordered-writer.js';
import { Pauses } from '../writer/pauses.js';
import { TailProgress } from '../writer/tail-progress.js';
import { TouchedKeys } from '../writer/touched-keys.js';
import type { PipelineDependencies, PipelineOptions } from './options.js';
import type { SessionStatus } from './producer-state.js';
import type { Session } from './session.js';
import { createNormalizer } from './source-kinds.js';

/** A stopping producer waits this long for its last transaction, in milliseconds; the next start repeats what it lost. */
const DRAIN_MS = 5000;

/** What the parts are made of. */
interface Setting {
  readonly deps: PipelineDependencies;
  readonly options: PipelineOptions;
  readonly session: Session;
  readonly shares: MemoryShares;
}

interface WriterStage {
  readonly writer: OrderedWriter;
  readonly touched: TouchedKeys;
  readonly progress: TailProgress;
  readonly quarantine: Quarantine;
  readonly contents: FileContents | undefined;
  readonly pauses: Pauses;
}

interface BackfillStage {
  readonly snapshotter: Snapshotter;
  readonly sweeper: Sweeper;
  readonly refresher: Refresher;
  readonly topicsAhead: TopicsAhead;
}

/** Runs them until the signal aborts or one fails; with `snapshotOnly` until everything is copied. */
export async function runStages(
  deps: PipelineDependencies,
  options: PipelineOptions,
  session: Session,
  signal: AbortSignal,
): Promise<void> {
  const setting: Setting = { deps, options, session, shares: divideMemory(options.memoryBudgetBytes) };
  const writing = writerStage(setting);
  const backfill = backfillStage(setting, writing);
  const tail = tailStage(setting, writing, backfill);
  const { writer, progress, pauses, quarantine } = writing;
  const { snapshotter, sweeper } = backfill;
  const status = (): SessionStatus => ({
    position: progress.end,
    paused: pauses.current,
    sweeps: sweeper.statuses(),
    quarantine: quarantine.statuses(),
    publishingMs: session.publisher.underWayMs,
  });
  deps.state.begun({ status });
  await beginBackfill(setting, writing, backfill);
  const copied = new AbortController();
  if (options.snapshotOnly) void snapshotter.idle().then(() => copied.abort(new Error('Everything is copied')));
  const besides = [leadConfirmation(writer, options.sessionTimeoutMs), commitTimes(setting, writer), ...watches(setting, writer, sweeper)];
  const services = [tail, snapshotter, sweeper, signalsStage(setting, writing, backfill), ...besides];
  await runServices(services, AbortSignal.any([signal, copied.signal]));
  deps.state.phase = 'stopping';
  const drained = writer.finish();
  if (!signal.aborted) return abortable(drained, signal);
  await Promise.race([drained, sleep(DRAIN_MS, AbortSignal.timeout(DRAIN_MS + 1000))]);
}

function writerStage({ deps, options, session, shares }: Setting): WriterStage {
  const { source, metrics, logger } = deps;
  const { maxFileBytes } = options;
  const filesLogger = logger.child({ component: 'gridfs' });
  const contents = maxFileBytes === undefined ? undefined : new FileContents(source.client, maxFileBytes, metrics, filesLogger);
  const quarantine = new Quarantine({
    topics: session.topics,
    topic: deadLetterTopicName(options.prefix, 'producer'),
    onRefused: options.onRefused ?? 'quarantine',
    logger: logger.child({ component: 'quarantine' }),
  });
  const progress = new TailProgress(session.start);
  const writer = new OrderedWriter({
    lookup: new DocumentLookup(source.client, shares.lookup, metrics.mongoTimes),
    contents,
    encoder: new RecordEncoder(options.valueFormat, shares.kept),
    shares,
    topics: quarantine,
    quarantine,
    publisher: session.publisher,
    progress,
    metrics,
    source: source.replicaSet,
    checkpointTopic: session.checkpointTopic,
  });
  return { writer, touched: new TouchedKeys(), progress, quarantine, contents, pauses: new Pauses(session.checkpoint.paused) };
}

function backfillStage({ deps, options, session, shares }: Setting, writing: WriterStage): BackfillStage {
  const { source, metrics, report, health, schemas, kafka, logger } = deps;
  const { checkpoint, namespaces, topics } = session;
  const { writer, touched, progress, quarantine, contents, pauses } = writing;
  const { snapshotParallel: parallel, snapshotReadPreference: readPreference, snapshotRate, snapshotQueries: queries } = options;
  const backfill = new BackfillWriter({ writer, touched, progress, metrics, health });
  // A second's worth at most, so that a low rate is no sequence of long pauses.
  const chunkDocuments = snapshotRate === 0 ? options.chunkDocuments : Math.min(options.chunkDocuments, snapshotRate);
  const chunk = { documents: chunkDocuments, chunkBytes: shares.chunk, contentBytes: contents?.bytesOf };
  const topicsAhead = new TopicsAhead((wanted) => quarantine.ensure(wanted), options.partitions);
  const snapshotter = new Snapshotter(
    {
      client: source.client,
      reader: new ChunkReader(source.client, { ...chunk, readPreference, queries, times: metrics.mongoTimes }),
      backfill,
      report,
      rate: new RateLimit(snapshotRate),
      budget: new ChunkBudget(shares.chunks),
      ensureTopics: (wanted) => topicsAhead.need(wanted),
      pauses,
      logger: logger.child({ component: 'snapshot' }),
    },
    { source: source.replicaSet, parallel, chunkDocuments, readPreference },
    checkpoint,
  );
  const keys = new SourceKeys(source.client);
  const sweeper = new Sweeper(
    {
      scan: (topic, sized, take, stop) => scanTopic(kafka, topic, sized, take, stop),
      topics,
      keys,
      writer,
      backfill,
      metrics,
      source: source.replicaSet,
      schemas,
      logger: logger.child({ component: 'sweep' }),
    },
    checkpoint,
    (name) => namespaces.byName(name),
  );
  const refresher = new Refresher({ documents: new SourceDocuments(source.client, shares.lookup), keys, backfill });
  return { snapshotter, sweeper, refresher, topicsAhead };
}

function tailStage({ deps, options, session, shares }: Setting, writing: WriterStage, { snapshotter, sweeper }: BackfillStage): Tail {
  const { source, metrics, counters, state, health, logger } = deps;
  const { changes, namespaces, publisher, confirm, start } = session;
  const { writer, touched, progress, quarantine, pauses } = writing;
  const tailWriter = new TailWriter({
    writer,
    normalizer: createNormalizer(changes, options.source, namespaces, counters, logger),
    touched,
    progress,
    topics: quarantine,
    metrics,
    shares,
    source: source.replicaSet,
    onCommand: (command) => followCommand({ snapshotter, sweeper, logger }, command),
  });
  const isConfirmed = (): boolean => state.phase === 'running' && health.trouble === undefined;
  const parts = { changes, writer: tailWriter, publisher, progress, pauses, readAheadBytes: shares.readAhead, isConfirmed, confirm };
  return new Tail(parts, start);
}

/** Takes up what the checkpoint says is to be copied and swept, and what it could not know. */
async function beginBackfill({ deps, session }: Setting, { writer, quarantine }: WriterStage, backfill: BackfillStage): Promise<void> {
  const { source, rules, plan, logger } = deps;
  const { checkpoint, namespaces, topics } = session;
  const { snapshotter, sweeper, topicsAhead } = backfill;
  const namespaceOf = (name: string) => namespaces.byName(name);
  const collections = (await listCollections(source.client, rules)).map(namespaceOf);
  await startSnapshots({
    plan,
    snapshotter,
    checkpoint,
    collections,
    lost: await lostTopics({ topics, checkpoint, namespaceOf, logger }, collections),
    leftOut: leftOut(checkpoint, (name) => namespaceOf(name).included, source.replicaSet),
    sweep: (namespace) => sweeper.adopt(namespace, 'replaced'),
    ensureTopics: (wanted) => quarantine.ensure(wanted),
    expectTopics: (wanted) => topicsAhead.expect(wanted),
    writeCheckpoint: async (records) => {
      await writer.writeCheckpoint(() => records);
      await writer.settled();
    },
  });
  const published = (await topics.namespaces()).map((namespace) => namespaceOf(formatNamespace(namespace)));
  for (const namespace of vanishedNamespaces(published, collections, checkpoint)) await sweeper.request(namespace, 'vanished');
}

function signalsStage({ deps, session }: Setting, { writer, pauses }: WriterStage, backfill: BackfillStage): SignalProcessor {
  const { source, logger } = deps;
  const parts = { ...backfill, writer, pauses, source: source.replicaSet, logger: logger.child({ component: 'signals' }) };
  return new SignalProcessor(
    {
      ...parts,
      read: (from, take, stop) => session.signals.read(from, take, stop),
      namespaceOf: (name) => session.namespaces.byName(name),
      kindOf: (namespace) => namespaceKind(source.client, namespace),
    },
    session.checkpoint,
  );
}

/** An idle leader that was fenced is to know within its session timeout. */
function leadConfirmation(writer: OrderedWriter, sessionTimeoutMs: number): Service {
  const quietMs = sessionTimeoutMs / 2;
  return {
    run: async (stop) => {
      for (await sleep(quietMs, stop); !stop.aborted; await sleep(quietMs, stop)) await writer.confirmLead(quietMs);
    },
  };
}

/** For consumers, which tell from it what is applied. */
function commitTimes({ deps }: Setting, writer: OrderedWriter): Service {
  const { client, replicaSet } = deps.source;
  const committed = async (signal: AbortSignal) => (await readCommitPoint(client, signal)).committed;
  return new CommitTimeWriter({ writer, committed, source: replicaSet, logger: deps.logger.child({ component: 'tail' }) });
}

/** What looks on while the stages work. */
function watches({ deps, session }: Setting, writer: OrderedWriter, sweeper: Sweeper): Service[] {
  const { source, report, state, logger } = deps;
  const isBusy = (): boolean => report.totals().state === 'running' || sweeper.statuses().length > 0;
  const gapWatch = new GapWatch({ writer, view: state, source: source.replicaSet, isBusy, logger }, session.checkpoint.gap);
  const announcement = { run: () => logCopyForecast(source.client, report.pending(), logger.child({ component: 'snapshot' })) };
  return [gapWatch, session.topicWatch, announcement, session.baseKeeper];
}
