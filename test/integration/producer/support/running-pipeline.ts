// The producer's pipeline inside the test, put together as its command does.
import { type Kafka, type Mongo, type MongoCredentials, waitFor } from '@tailwater/devstack';
import {
  type BackoffOptions,
  type CompiledNamespaceRules,
  compileNamespaceRules,
  createKafka,
  createMetrics,
  type KafkaClient,
} from '@tailwater/runtime';
import { checkpointTopicName, SchemaIds } from '@tailwater/schema';
import { type SnapshotMode, SnapshotPlan } from '#producer/backfill/snapshot/snapshot-plan.js';
import { SnapshotReport } from '#producer/backfill/snapshot/snapshot-report.js';
import { sessionMessage } from '#producer/checkpoint/checkpoint-record.js';
import { type ProducerCounts, ProducerMetrics } from '#producer/metrics/producer-metrics.js';
import { KafkaTransactionSender } from '#producer/publish/kafka-transaction-sender.js';
import type { PipelineOptions } from '#producer/session/options.js';
import { runPipeline } from '#producer/session/producer.js';
import { ProducerState, type SessionStatus } from '#producer/session/producer-state.js';
import { connectSource, type MongoSource } from '#producer/source/mongo/connect.js';
import { SourceHealth } from '#producer/source/mongo/source-health.js';
import { NormalizeCounters } from '#producer/source/normalize-counters.js';
import { newestMajorityPosition } from '#producer/source/oplog/oplog-window.js';
import { keptLog, type LoggedLine } from './kept-log.js';

export interface RunningOptions extends Partial<PipelineOptions> {
  readonly snapshot?: SnapshotMode;
  readonly prefix: string;
  readonly include: readonly string[];
  /** Default: what `include` says. */
  readonly rules?: CompiledNamespaceRules;
  /** Who connects to MongoDB; root where there are users at all. */
  readonly user?: MongoCredentials;
  /** Where MongoDB is, when not at the address of the server itself. */
  readonly uri?: string;
  /** Between attempts to read MongoDB. */
  readonly pauses?: BackoffOptions;
}

const DEFAULTS = {
  valueFormat: 'avro',
  partitions: 4,
  replicationFactor: 1,
  source: 'oplog',
  onGap: 'resnapshot',
  acceptCluster: undefined,
  exclude: [],
  fullDocument: 'lookup',
  startAt: 'now',
  snapshotOnly: false,
  snapshotQueries: new Map(),
  snapshotRate: 0,
  snapshotReadPreference: 'primary',
  chunkDocuments: 500,
  snapshotParallel: 2,
  sessionTimeoutMs: 6000,
} as const;

class CountingState extends ProducerState {
  /** Sessions that have begun. */
  sessions = 0;

  override begun(session: { status(): SessionStatus }): void {
    this.sessions += 1;
    super.begun(session);
  }
}

export class RunningPipeline {
  readonly log: LoggedLine[];
  readonly state = new CountingState();
  readonly report = new SnapshotReport();
  readonly health: SourceHealth;
  /** Settles when the pipeline has ended; never rejects. */
  readonly ended: Promise<void>;
  readonly #source: MongoSource;
  readonly #metrics: ProducerMetrics;
  readonly #stop = new AbortController();
  readonly #kafka: KafkaClient;
  readonly #prefix: string;
  #failure: unknown;

  private constructor(source: MongoSource, kafka: Pick<Kafka, 'brokers'>, options: RunningOptions) {
    const { logger, lines } = keptLog();
    const counters = new NormalizeCounters();
    this.log = lines;
    this.health = new SourceHealth(logger, options.pauses);
    this.#source = source;
    this.#metrics = new ProducerMetrics(createMetrics(), counters);
    this.#kafka = createKafka({ brokers: kafka.brokers, clientId: 'test' }, logger);
    this.#prefix = options.prefix;
    const deps = {
      source,
      kafka: this.#kafka,
      rules: options.rules ?? compileNamespaceRules({ include: options.include }),
      subjects: undefined,
      schemas: new SchemaIds(),
      counters,
      metrics: this.#metrics,
      report: this.report,
      plan: new SnapshotPlan(options.snapshot ?? 'initial'),
      state: this.state,
      health: this.health,
      logger,
    };
    const running = runPipeline(deps, { ...DEFAULTS, ...options }, this.#stop.signal);
    this.ended = running.catch((error: unknown) => {
      this.#failure = error;
    });
  }

  static async start(mongo: Mongo, kafka: Pick<Kafka, 'brokers'>, options: RunningOptions): Promise<RunningPipeline> {
    return new RunningPipeline(
      await connectSource(options.uri ?? mongo.uriFor(options.user ?? mongo.credentials), options.source ?? 'oplog'),
      kafka,
      options,
    );
  }

  /** Why it ended by itself. */
  get failure(): unknown {
    return this.#failure;
  }

  get counts(): ProducerCounts {
    return this.#metrics.counts();
  }

  /** Waits until everything written so far was handed to Kafka, whatever is still to be copied. */
  async untilReadAll(): Promise<void> {
    const newest = await newestMajorityPosition(this.#source.client);
    await waitFor(
      () => {
        if (this.#failure !== undefined) throw this.#failure;
        return this.state.phase === 'running' && (this.state.session?.position.compare(newest) ?? -1) >= 0;
      },
      { describe: () => `the tail to come to ${newest}, now at ${this.state.session?.position}` },
    );
  }

  /** Waits until everything written so far was handed to Kafka, every collection was copied (there is one at least), and no sweep is left. */
  async untilInStep(): Promise<void> {
    const newest = await newestMajorityPosition(this.#source.client);
    await waitFor(
      () => {
        if (this.#failure !== undefined) throw this.#failure;
        const position = this.state.session?.position;
        const isRead = position !== undefined && position.compare(newest) >= 0;
        // What is only handed over is not in the topic yet.
        const isCommitted = this.state.session?.publishingMs === undefined;
        return isRead && isCommitted && this.report.totals().state === 'done' && this.state.session?.sweeps.length === 0;
      },
      {
        describe: () => `the pipeline to be in step, now at ${this.state.session?.position}, ${this.state.lastError ?? 'no error'}`,
        timeoutMs: 120_000,
      },
    );
  }

  /**
   * Does to it what a kill does: Kafka takes nothing more of what is under way, and nothing drains. It begins anew from its
   * checkpoint, as the next process would, which is waited for.
   */
  async fence(): Promise<void> {
    const before = this.state.sessions;
    const sender = await KafkaTransactionSender.connect(this.#kafka, `${this.#prefix}.producer.${this.#source.replicaSet}`);
    // The id is taken over by the first transaction.
    await sender.send([{ topic: checkpointTopicName(this.#prefix), messages: [sessionMessage(this.#source.replicaSet, 'fence')] }]);
    await sender.close();
    const next = async (): Promise<boolean> => {
      // It notices when it next writes, and on an idle source that is its checkpoint, when there is something to pass.
      await this.#source.client.db('elsewhere').collection('idle').insertOne({});
      return this.state.sessions > before && this.state.phase === 'running';
    };
    await waitFor(next, {
      describe: () => `the next session, now ${this.state.phase}, ${this.state.lastError ?? 'no error'}`,
      timeoutMs: 60_000,
      intervalMs: 200,
    });
  }

  /** Ends it as a signal would, and waits until it has drained. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error('The test stops the pipeline'));
    await this.ended;
    await this.#source.client.close();
  }
}
