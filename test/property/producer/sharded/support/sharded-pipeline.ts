// The producer's tail, the real one, between the model of a cluster and a Kafka in memory: source, merge, normalizer, lookup, writer.
import { compileNamespaceRules, createLogger, createMetrics, runServices } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import type { CollectionCommand, TrackedNamespace } from '#producer/changes/change-batch.js';
import { NamespaceTable } from '#producer/changes/namespace-table.js';
import { positionMessage, shardsMessage } from '#producer/checkpoint/checkpoint-record.js';
import { RecordEncoder, type TopicLayout } from '#producer/encode/record-encoder.js';
import { DocumentLookup } from '#producer/enrich/document-lookup.js';
import { ProducerMetrics } from '#producer/metrics/producer-metrics.js';
import { Publisher } from '#producer/publish/publisher.js';
import { SourceHealth } from '#producer/source/mongo/source-health.js';
import { NormalizeCounters } from '#producer/source/normalize-counters.js';
import { Normalizer } from '#producer/source/oplog/normalizer.js';
import { ShardRoster } from '#producer/source/sharded/shard-roster.js';
import { ShardedSource } from '#producer/source/sharded/sharded-source.js';
import { readAhead } from '#producer/tail/read-ahead.js';
import { TailWriter } from '#producer/tail/tail-writer.js';
import { OrderedWriter } from '#producer/writer/ordered-writer.js';
import { TailProgress } from '#producer/writer/tail-progress.js';
import { TouchedKeys } from '#producer/writer/touched-keys.js';
import { CHECKPOINTS, type CommittedLog } from '#test/property/producer/support/committed-log.js';
import { T } from '#test/unit/producer/support/entries.js';
import { type ModelServers, mongosClient, shardClient } from './model-clients.js';

export interface PipelineOptions extends ModelServers {
  readonly log: CommittedLog;
  /** Bytes of entries that wait for other shards. */
  readonly laneBytes: number;
  /** Called when the first position is in the log. */
  readonly onBegun?: () => void;
}

const START = new Position(T, 1);
const SOURCE = 'sharded-cluster';
/** What costs more to make than a case takes: it serves all of them, one after the other. */
const COUNTERS = new NormalizeCounters();
const METRICS = new ProducerMetrics(createMetrics(), COUNTERS);
const ENCODER = new RecordEncoder();
const logger = createLogger({ name: 'test', level: 'silent' });
const rules = compileNamespaceRules({});
export const topicOf = (name: string): string => `tw.${name}`;

/** One process: what it counts is here. */
export class ShardedPipeline {
  readonly #options: PipelineOptions;
  readonly #namespaces = new NamespaceTable(rules);
  readonly counters = COUNTERS;
  readonly commands: CollectionCommand[] = [];

  constructor(options: PipelineOptions) {
    this.#options = options;
  }

  /** One session, from the checkpoint until everything at or before `until()` is published, or until something fails. */
  async session(until: () => number): Promise<void> {
    const { log, turn, laneBytes } = this.#options;
    const publisher = new Publisher(log.connect(() => turn('commit')));
    const { position, shards } = log.checkpoint(SOURCE);
    const start = position ?? START;
    const roster = new ShardRoster(async (listed) => {
      await publisher.submit({ topics: [{ topic: CHECKPOINTS, messages: [shardsMessage(SOURCE, listed)] }] });
      await publisher.flush();
    });
    roster.load(shards);
    const client = mongosClient(this.#options);
    const source = new ShardedSource(
      client,
      { uri: 'mongodb://mongos.test/', access: {} },
      {
        laneBytes,
        roster,
        health: new SourceHealth(logger, { minMs: 0, maxMs: 0 }),
        connect: ({ uri }) => shardClient(this.#options, uri),
        pause: () => turn('pause of the watch'),
      },
      logger,
    );
    if (position === undefined) await source.begin();
    await publisher.submit({ topics: [{ topic: CHECKPOINTS, messages: [positionMessage(SOURCE, start, 0)] }] });
    await publisher.flush();
    this.#options.onBegun?.();
    const progress = new TailProgress(start);
    const topics = topicsOf(log);
    const writer = new OrderedWriter({
      lookup: new DocumentLookup(client),
      encoder: ENCODER,
      quarantine: { letters: () => Promise.reject(new Error('Nothing is refused here')) },
      topics,
      publisher,
      progress,
      metrics: METRICS,
      source: SOURCE,
      checkpointTopic: CHECKPOINTS,
    });
    const tailWriter = new TailWriter({
      writer,
      normalizer: new Normalizer(source, this.#namespaces, this.counters, logger, true),
      touched: new TouchedKeys(),
      progress,
      topics,
      metrics: METRICS,
      source: SOURCE,
      onCommand: (command) => {
        this.commands.push(command);
        return [];
      },
    });
    const stop = new AbortController();
    const tail = async (signal: AbortSignal): Promise<void> => {
      for await (const batch of readAhead(source, start, () => publisher.idle(), 1_000_000, signal)) {
        if (signal.aborted) break;
        await tailWriter.write(batch);
        await source.passed(batch.end);
        if (progress.end.i >= until()) stop.abort(new Error('over'));
      }
    };
    await runServices([{ run: tail }], stop.signal);
    await writer.finish();
  }
}

function topicsOf(log: CommittedLog) {
  const layoutOf = ({ name }: TrackedNamespace): TopicLayout => ({ topic: topicOf(name), partitions: 3 });
  return {
    ensure: async (namespaces: readonly TrackedNamespace[]) => {
      for (const { name } of namespaces) log.ensure(topicOf(name));
    },
    takeUnrecorded: () => [],
    existing: async (namespace: TrackedNamespace) => (log.has(topicOf(namespace.name)) ? layoutOf(namespace) : undefined),
    layoutOf,
  };
}
