// The producer's stages, the real ones, between a database and a Kafka in memory. Whoever waits for either of the two waits
// at the scheduler, so that a test decides what comes first.
import { createLogger, createMetrics, runServices } from '@tailwater/runtime';
import { findId, Position, type RawValue } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import { positionMessage } from '../../../../packages/producer/src/checkpoint/checkpoint-record.js';
import { RecordEncoder } from '../../../../packages/producer/src/encode/record-encoder.js';
import { DocumentLookup } from '../../../../packages/producer/src/enrich/document-lookup.js';
import type { ChangeBatch, TrackedNamespace } from '../../../../packages/producer/src/normalize/change-batch.js';
import { NamespaceTable } from '../../../../packages/producer/src/normalize/namespace-table.js';
import { NormalizeCounters } from '../../../../packages/producer/src/normalize/normalize-counters.js';
import { Normalizer } from '../../../../packages/producer/src/normalize/normalizer.js';
import { type ProducerCounts, ProducerMetrics } from '../../../../packages/producer/src/producer-metrics.js';
import { Publisher } from '../../../../packages/producer/src/publish/publisher.js';
import { Sequencer } from '../../../../packages/producer/src/sequence/sequencer.js';
import { TailProgress } from '../../../../packages/producer/src/sequence/tail-progress.js';
import { type Chunk, ChunkReader } from '../../../../packages/producer/src/snapshot/chunk-reader.js';
import { SnapshotReport } from '../../../../packages/producer/src/snapshot/snapshot-report.js';
import { Snapshotter } from '../../../../packages/producer/src/snapshot/snapshotter.js';
import { TouchedKeys } from '../../../../packages/producer/src/snapshot/touched-keys.js';
import { idDocument, idOf } from '../../../../packages/producer/src/source/mongo/id-value.js';
import { CHECKPOINTS, type CommittedLog } from './committed-log.js';
import { ModelDatabase } from './model-database.js';

export interface ModelOptions {
  readonly database: ModelDatabase;
  readonly log: CommittedLog;
  /** Resolves when it is the caller's turn. */
  readonly turn: (what: string) => Promise<void>;
  /** Entries that one read brings at most. */
  readonly batchEntries: number;
  /** Documents of a chunk. */
  readonly chunkDocuments: number;
  /** Documents that may be looked up at once: small numbers cut batches into slices. */
  readonly lookups: number;
  /** Entries by which a server's answer may lag behind the newest one. */
  readonly lag: () => number;
}

const nobody = undefined as unknown as MongoClient;

export class ModelPipeline {
  readonly #options: ModelOptions;
  readonly #namespaces = new NamespaceTable({ includes: () => true, rename: (namespace) => namespace });
  readonly #counters = new NormalizeCounters();
  readonly #metrics = new ProducerMetrics(createMetrics(), this.#counters);
  readonly #logger = createLogger({ name: 'test', level: 'silent' });

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  get counts(): ProducerCounts {
    return this.#metrics.counts();
  }

  /** One session, as the pipeline runs it: from the checkpoint until `isOver`, or until something fails. */
  async session(isOver: () => boolean): Promise<void> {
    const { database, log, turn, chunkDocuments, lookups, lag } = this.#options;
    const publisher = new Publisher(log.connect(() => turn('commit')));
    const checkpoint = log.checkpoint();
    const start = checkpoint.position ?? ModelDatabase.start;
    if (checkpoint.position === undefined)
      await publisher.submit({ topics: [{ topic: CHECKPOINTS, messages: [positionMessage('rs0', start, 0)] }] });
    const [progress, touched, report] = [new TailProgress(start), new TouchedKeys(), new SnapshotReport()];
    const sequencer = new Sequencer({
      normalizer: new Normalizer(this.#namespaces, this.#counters, this.#logger),
      lookup: new ModelLookup(database, turn, lookups, lag),
      encoder: new RecordEncoder(),
      topics: { ensure: async () => {}, layoutOf: ({ name }) => ({ topic: `tw.${name}`, partitions: 3 }) },
      publisher,
      touched,
      progress,
      metrics: this.#metrics,
      source: 'rs0',
      checkpointTopic: CHECKPOINTS,
      onCommand: () => {},
    });
    const reader = new ModelReader(database, turn, chunkDocuments, lag);
    const client = { db: () => ({ collection: () => ({ estimatedDocumentCount: async () => 0 }) }) } as unknown as MongoClient;
    const snapshotter = new Snapshotter({ client, reader, sequencer, progress, touched, report, logger: this.#logger }, checkpoint);
    snapshotter.request(this.#namespaces.byName(database.namespace.name));
    const stop = new AbortController();
    const tail = { run: (signal: AbortSignal) => this.#tail(sequencer, start, signal, () => isOver() && stop.abort(new Error('over'))) };
    await runServices([tail, snapshotter], stop.signal);
    await sequencer.finish();
  }

  async #tail(sequencer: Sequencer, start: Position, signal: AbortSignal, afterRead: () => void): Promise<void> {
    const { database, turn, batchEntries } = this.#options;
    for (let end = start; !signal.aborted; afterRead()) {
      const readStartedAtMs = performance.now();
      await turn('read the oplog');
      const entries = database.behind(end, batchEntries);
      if (entries.length > 0) end = new Position(end.t, end.i + entries.length);
      await sequencer.tail({ entries, end, readStartedAtMs });
    }
  }
}

class ModelLookup extends DocumentLookup {
  readonly #database: ModelDatabase;
  readonly #turn: ModelOptions['turn'];
  readonly #limit: number;
  readonly #lag: () => number;

  constructor(database: ModelDatabase, turn: ModelOptions['turn'], limit: number, lag: () => number) {
    super(nobody);
    this.#database = database;
    this.#turn = turn;
    this.#limit = limit;
    this.#lag = lag;
  }

  override documentsPerSlice(): number {
    return this.#limit;
  }

  override async fill(batch: ChangeBatch, from: number, to: number): Promise<void> {
    await this.#turn('look documents up');
    const notBefore = new Position(batch.t[to - 1] as number, batch.i[to - 1] as number);
    const state = this.#database.stateAt(this.#database.readableAt(notBefore, this.#lag()));
    for (let row = from; row < to; row++) if (batch.op[row] === 'update') batch.document[row] = state.get(Number(batch.key[row]));
  }
}

class ModelReader extends ChunkReader {
  readonly #database: ModelDatabase;
  readonly #turn: ModelOptions['turn'];
  readonly #limit: number;
  readonly #lag: () => number;

  constructor(database: ModelDatabase, turn: ModelOptions['turn'], limit: number, lag: () => number) {
    super(nobody, limit);
    this.#database = database;
    this.#turn = turn;
    this.#limit = limit;
    this.#lag = lag;
  }

  override async read(_: TrackedNamespace, after: Buffer | undefined, notBefore: Position): Promise<Chunk> {
    await this.#turn('read a chunk');
    const position = this.#database.readableAt(notBefore, this.#lag());
    const behind = after === undefined ? Number.NEGATIVE_INFINITY : Number(idOf(after));
    const keys = [...this.#database.stateAt(position).keys()].filter((key) => key > behind).sort((a, b) => a - b);
    const documents = keys.slice(0, this.#limit).map((key) => this.#database.stateAt(position).get(key) as Buffer);
    await this.#turn('answer with a chunk');
    return { documents, position, lastId: lastIdOf(documents), readAtMs: performance.now() };
  }
}

function lastIdOf(documents: readonly Buffer[]): Buffer | undefined {
  const last = documents.at(-1);
  if (last === undefined) return undefined;
  const { type, start, end } = findId(last) as RawValue;
  return idDocument(last, type, start, end);
}
