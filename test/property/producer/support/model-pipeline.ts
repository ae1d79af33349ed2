// The producer's stages, the real ones, between a database and a Kafka in memory. Whoever waits for either of the two waits
// at the scheduler, so that a test decides what comes first.
import { createLogger, createMetrics, runServices } from '@tailwater/runtime';
import { Position, SchemaIds } from '@tailwater/schema';
import { BackfillWriter } from '#producer/backfill/backfill-writer.js';
import { Gaps } from '#producer/backfill/gap/gaps.js';
import { Refresher } from '#producer/backfill/refresh/refresher.js';
import { ChunkBudget } from '#producer/backfill/snapshot/chunk-budget.js';
import { leftOut } from '#producer/backfill/snapshot/left-out.js';
import { lostTopics } from '#producer/backfill/snapshot/lost-topics.js';
import { RateLimit } from '#producer/backfill/snapshot/rate-limit.js';
import { type SnapshotMode, SnapshotPlan } from '#producer/backfill/snapshot/snapshot-plan.js';
import { SnapshotReport } from '#producer/backfill/snapshot/snapshot-report.js';
import { Snapshotter } from '#producer/backfill/snapshot/snapshotter.js';
import { startSnapshots } from '#producer/backfill/snapshot/start-snapshots.js';
import { TopicsAhead } from '#producer/backfill/snapshot/topics-ahead.js';
import { Sweeper } from '#producer/backfill/sweep/sweeper.js';
import { vanishedNamespaces } from '#producer/backfill/sweep/vanished-namespaces.js';
import type { TrackedNamespace } from '#producer/changes/change-batch.js';
import { NamespaceTable } from '#producer/changes/namespace-table.js';
import { type Checkpoint, positionMessage } from '#producer/checkpoint/checkpoint-record.js';
import { RecordEncoder } from '#producer/encode/record-encoder.js';
import { type ProducerCounts, ProducerMetrics } from '#producer/metrics/producer-metrics.js';
import { Publisher } from '#producer/publish/publisher.js';
import { ProducerState } from '#producer/session/producer-state.js';
import { SignalProcessor } from '#producer/signals/signal-processor.js';
import type { SignalPlace, SignalRecord } from '#producer/signals/signal-topic.js';
import { SourceHealth } from '#producer/source/mongo/source-health.js';
import { NormalizeCounters } from '#producer/source/normalize-counters.js';
import { Normalizer } from '#producer/source/oplog/normalizer.js';
import { followCommand } from '#producer/tail/follow-commands.js';
import { TailWriter } from '#producer/tail/tail-writer.js';
import { OrderedWriter } from '#producer/writer/ordered-writer.js';
import { Pauses } from '#producer/writer/pauses.js';
import { TailProgress } from '#producer/writer/tail-progress.js';
import { TouchedKeys } from '#producer/writer/touched-keys.js';
import { CHECKPOINTS, type CommittedLog } from './committed-log.js';
import { ModelDatabase } from './model-database.js';
import { ModelLookup, ModelReader, type ModelServer, ModelTransactions, modelClient, modelDocuments, modelKeys } from './model-source.js';
import { ModelTopics, PREFIX } from './model-topics.js';

export interface ModelOptions extends ModelServer {
  readonly log: CommittedLog;
  readonly snapshot: SnapshotMode;
  /** The entries are those of several shards. */
  readonly isSharded: boolean;
  /** Whatever was asked for so far, and what will be. */
  readonly signals: readonly SignalRecord[];
  /** Entries that one read brings at most. */
  readonly batchEntries: number;
  /** Entries by which the member lags that the tail reads. */
  readonly tailLag: () => number;
  /** Documents of a chunk. */
  readonly chunkDocuments: number;
  /** Chunks at once. */
  readonly parallel: number;
  /** The name of a namespace that is not published. */
  readonly leftOut?: string | undefined;
  /** Documents that may be looked up at once: small numbers cut batches into slices. */
  readonly lookups: number;
}

/** One process: what it remembers from session to session is here. */
export class ModelPipeline {
  readonly #options: ModelOptions;
  readonly #namespaces: NamespaceTable;
  readonly #counters = new NormalizeCounters();
  readonly #metrics = new ProducerMetrics(createMetrics(), this.#counters);
  readonly #logger = createLogger({ name: 'test', level: 'silent' });
  readonly #plan: SnapshotPlan;
  readonly #gaps: Gaps;

  constructor(options: ModelOptions) {
    this.#options = options;
    const includes = (database: string, collection: string): boolean => `${database}.${collection}` !== options.leftOut;
    this.#namespaces = new NamespaceTable({ includes, rename: (namespace) => namespace });
    this.#gaps = new Gaps('resnapshot', this.#metrics, new ProducerState(), this.#logger);
    this.#plan = new SnapshotPlan(options.snapshot);
  }

  get counts(): ProducerCounts {
    return this.#metrics.counts();
  }

  /** One session, as the pipeline runs it: from the checkpoint until `isOver` and everything that it took on is done, or until something fails. */
  async session(isOver: () => boolean): Promise<void> {
    const { database, log, turn, chunkDocuments, parallel, lookups, isSharded } = this.#options;
    const [logger, metrics, source] = [this.#logger, this.#metrics, 'rs0'];
    const namespaceOf = (name: string) => this.#namespaces.byName(name);
    const publisher = new Publisher(log.connect(() => turn('commit')));
    const topics = new ModelTopics(log);
    const collections = (): TrackedNamespace[] =>
      database
        .collections()
        .map(namespaceOf)
        .filter(({ included }) => included);
    let checkpoint = await this.#healed(publisher, topics, collections);
    const start = checkpoint.position ?? ModelDatabase.start;
    if (checkpoint.position === undefined) {
      const [begun, messages] = this.#plan.begin(checkpoint, collections(), source);
      checkpoint = begun;
      await publisher.submit({ topics: [{ topic: CHECKPOINTS, messages: [...messages, positionMessage(source, start, 0)] }] });
    }
    const [progress, touched, report] = [new TailProgress(start), new TouchedKeys(), new SnapshotReport()];
    const writer = new OrderedWriter({
      lookup: new ModelLookup(this.#options, lookups),
      encoder: new RecordEncoder(),
      quarantine: { letters: () => Promise.reject(new Error('Nothing is refused here')) },
      topics,
      publisher,
      progress,
      metrics,
      source,
      checkpointTopic: CHECKPOINTS,
    });
    const pauses = new Pauses(checkpoint.paused);
    const backfill = new BackfillWriter({ writer, touched, progress, metrics, health: new SourceHealth(logger) });
    const reader = new ModelReader(this.#options, chunkDocuments);
    const ensureTopics = async (namespaces: readonly TrackedNamespace[]): Promise<void> => {
      await turn('make topics');
      await topics.ensure(namespaces);
      await turn('look at topics');
    };
    const topicsAhead = new TopicsAhead(ensureTopics, 200);
    const snapshotter = new Snapshotter(
      {
        client: modelClient(this.#options),
        reader,
        backfill,
        report,
        rate: new RateLimit(0),
        budget: new ChunkBudget(Number.POSITIVE_INFINITY),
        ensureTopics: (wanted) => topicsAhead.need(wanted),
        pauses,
        logger,
      },
      { source, parallel, chunkDocuments, readPreference: 'primary' },
      checkpoint,
    );
    const keys = modelKeys(this.#options);
    const sweeper = new Sweeper(
      {
        scan: async (topic, sized, take) => {
          const records = log.read(topic).map(({ key, value }) => ({ key: Buffer.from(key), value }));
          sized(records.length);
          await turn('read a topic');
          await take(records);
        },
        topics,
        keys,
        writer,
        backfill,
        metrics,
        source,
        schemas: new SchemaIds(),
        logger,
      },
      checkpoint,
      namespaceOf,
    );
    const listed = collections();
    await turn('list topics');
    await startSnapshots({
      plan: this.#plan,
      snapshotter,
      checkpoint,
      collections: listed,
      lost: await lostTopics({ topics, checkpoint, namespaceOf, logger }, listed),
      leftOut: leftOut(checkpoint, (name) => namespaceOf(name).included, source),
      sweep: (namespace) => sweeper.adopt(namespace, 'replaced'),
      ensureTopics,
      expectTopics: (wanted) => topicsAhead.expect(wanted),
      writeCheckpoint: async (records) => {
        await writer.writeCheckpoint(() => records);
        await writer.settled();
      },
    });
    const published = log.topics().map((topic) => namespaceOf(topic.slice(PREFIX.length)));
    for (const namespace of vanishedNamespaces(published, listed, checkpoint)) await sweeper.request(namespace, 'vanished');
    const refresher = new Refresher({ documents: modelDocuments(this.#options), keys, backfill });
    const signals = new SignalProcessor(
      {
        read: this.#readSignals,
        namespaceOf,
        kindOf: async () => 'collection',
        snapshotter,
        sweeper,
        refresher,
        writer,
        pauses,
        source,
        logger,
      },
      checkpoint,
    );
    const stop = new AbortController();
    const isIdle = (): boolean => report.totals().state !== 'running' && sweeper.statuses().length === 0;
    const afterRead = (): void => {
      if (isOver() && isIdle() && progress.end.compare(database.end) === 0) stop.abort(new Error('over'));
    };
    const tailWriter = new TailWriter({
      writer,
      normalizer: new Normalizer(new ModelTransactions(this.#options), this.#namespaces, this.#counters, logger, isSharded),
      touched,
      progress,
      topics,
      metrics,
      source,
      onCommand: (command) => followCommand({ snapshotter, sweeper, logger }, command),
    });
    const tail = { run: (signal: AbortSignal) => this.#tail(tailWriter, pauses, start, signal, afterRead) };
    await runServices([tail, snapshotter, sweeper, signals], stop.signal);
    await writer.finish();
  }

  /** The checkpoint, behind a gap where there is one: in this model, only that of a checkpoint that is gone. */
  #healed(publisher: Publisher, topics: ModelTopics, collections: () => TrackedNamespace[]): Promise<Checkpoint> {
    const { database, log } = this.#options;
    const claimed = log.checkpoint();
    topics.remember(claimed.topics);
    return this.#gaps.heal(claimed, {
      publisher,
      topics,
      checkpointTopic: CHECKPOINTS,
      signalsTopic: 'tw.signals',
      source: 'rs0',
      namespaceOf: (name) => this.#namespaces.byName(name),
      usedPartitions: async () => undefined,
      newestPosition: async () => database.end,
      collections: async () => collections().map(({ name }) => name),
    });
  }

  readonly #readSignals = async ({ offset }: SignalPlace, take: (record: SignalRecord) => void, signal: AbortSignal): Promise<void> => {
    const { signals, turn } = this.#options;
    for (let next = Number(offset); !signal.aborted; ) {
      await turn('read signals');
      for (; next < signals.length; next++) take(signals[next] as SignalRecord);
    }
  };

  async #tail(writer: TailWriter, pauses: Pauses, start: Position, signal: AbortSignal, afterRead: () => void): Promise<void> {
    const { database, turn, batchEntries, tailLag } = this.#options;
    for (let end = start; !signal.aborted; afterRead()) {
      await turn('read the oplog');
      const entries = database.behind(end, batchEntries, tailLag());
      if (entries.length > 0) end = new Position(end.t, end.i + entries.length);
      await pauses.untilResumed('tail', signal);
      if (!signal.aborted) await writer.write({ entries, end, isWhole: true });
    }
  }
}
