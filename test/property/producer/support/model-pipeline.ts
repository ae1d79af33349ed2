// The producer's stages, the real ones, between a database and a Kafka in memory. Whoever waits for either of the two waits
// at the scheduler, so that a test decides what comes first.
import { createLogger, createMetrics, runServices } from '@tailwater/runtime';
import { findId, Position, type RawValue } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import { positionMessage, type SnapshotRange } from '../../../../packages/producer/src/checkpoint/checkpoint-record.js';
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
import { Pauses } from '../../../../packages/producer/src/signals/pauses.js';
import { type Chunk, ChunkReader } from '../../../../packages/producer/src/snapshot/chunk-reader.js';
import { RateLimit } from '../../../../packages/producer/src/snapshot/rate-limit.js';
import { SnapshotReport } from '../../../../packages/producer/src/snapshot/snapshot-report.js';
import { Snapshotter } from '../../../../packages/producer/src/snapshot/snapshotter.js';
import { TouchedKeys } from '../../../../packages/producer/src/snapshot/touched-keys.js';
import { idDocument, idOf } from '../../../../packages/producer/src/source/mongo/id-value.js';
import type { TransactionSource } from '../../../../packages/producer/src/source/source.js';
import { Chains } from '../../../unit/producer/support/chains.js';
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
  /** Chunks at once. */
  readonly parallel: number;
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
    const { database, log, turn, chunkDocuments, parallel, lookups, lag } = this.#options;
    const publisher = new Publisher(log.connect(() => turn('commit')));
    const checkpoint = log.checkpoint();
    const start = checkpoint.position ?? ModelDatabase.start;
    if (checkpoint.position === undefined)
      await publisher.submit({ topics: [{ topic: CHECKPOINTS, messages: [positionMessage('rs0', start, 0)] }] });
    const [progress, touched, report] = [new TailProgress(start), new TouchedKeys(), new SnapshotReport()];
    const sequencer = new Sequencer({
      normalizer: new Normalizer(new ModelTransactions(database, turn), this.#namespaces, this.#counters, this.#logger),
      lookup: new ModelLookup(database, turn, lookups, lag),
      encoder: new RecordEncoder(),
      topics: { ensure: async () => {}, existing: async () => undefined, layoutOf: ({ name }) => ({ topic: `tw.${name}`, partitions: 3 }) },
      publisher,
      touched,
      progress,
      metrics: this.#metrics,
      source: 'rs0',
      checkpointTopic: CHECKPOINTS,
      onCommand: () => {},
    });
    const reader = new ModelReader(database, turn, chunkDocuments, lag);
    const snapshotter = new Snapshotter(
      {
        client: modelClient(database, turn),
        reader,
        sequencer,
        progress,
        touched,
        report,
        rate: new RateLimit(0),
        pauses: new Pauses(),
        logger: this.#logger,
      },
      { source: 'rs0', parallel, chunkDocuments, readPreference: 'primary' },
      checkpoint,
    );
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

/** What the snapshotter asks of a server itself: how much there is, and ids to divide it by. */
function modelClient(database: ModelDatabase, turn: ModelOptions['turn']): MongoClient {
  const documents = (): Buffer[] => [...database.stateAt(database.end)].sort(([a], [b]) => a - b).map(([, document]) => document);
  const toArray = async (): Promise<Buffer[]> => {
    await turn('sample');
    return documents();
  };
  const collection = { estimatedDocumentCount: async () => 8 * documents().length, aggregate: () => ({ toArray }) };
  return { db: () => ({ collection: () => collection }) } as unknown as MongoClient;
}

class ModelTransactions implements TransactionSource {
  readonly #database: ModelDatabase;
  readonly #turn: ModelOptions['turn'];

  constructor(database: ModelDatabase, turn: ModelOptions['turn']) {
    this.#database = database;
    this.#turn = turn;
  }

  async *entriesOf(end: Buffer): AsyncGenerator<Buffer> {
    for (const entry of new Chains().add(this.#database.entries).of(end)) {
      await this.#turn('read an entry of a transaction');
      yield entry;
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
    super(nobody, { documents: limit, readPreference: 'primary', queries: new Map() });
    this.#database = database;
    this.#turn = turn;
    this.#limit = limit;
    this.#lag = lag;
  }

  override async read(_: TrackedNamespace, range: SnapshotRange, notBefore: Position): Promise<Chunk> {
    await this.#turn('read a chunk');
    const position = this.#database.readableAt(notBefore, this.#lag());
    const [from, behind, to] = [range.from, range.lastId, range.to].map((id) =>
      id === null ? undefined : Number(idOf(Buffer.from(id, 'base64'))),
    );
    const isInside = (key: number): boolean =>
      key >= (from ?? Number.NEGATIVE_INFINITY) && key > (behind ?? Number.NEGATIVE_INFINITY) && key < (to ?? Number.POSITIVE_INFINITY);
    const keys = [...this.#database.stateAt(position).keys()].filter(isInside).sort((a, b) => a - b);
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
