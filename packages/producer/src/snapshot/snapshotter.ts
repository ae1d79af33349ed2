// Copies the collections that have no finished snapshot yet, while the tail runs: one after the other, the next chunk being
// read while the last one is published. Progress is checkpointed with each chunk, so a restart goes on inside a collection.
import type { Logger } from '@tailwater/runtime';
import { sleep } from '@tailwater/runtime';
import type { MongoClient } from 'mongodb';
import type { Checkpoint, SnapshotProgress } from '../checkpoint/checkpoint-record.js';
import type { TrackedNamespace } from '../normalize/change-batch.js';
import type { Sequencer } from '../sequence/sequencer.js';
import type { TailProgress } from '../sequence/tail-progress.js';
import { isRetriableMongoError } from '../source/mongo/mongo-errors.js';
import type { Chunk, ChunkReader } from './chunk-reader.js';
import type { SnapshotReport } from './snapshot-report.js';
import type { TouchedKeys, Window } from './touched-keys.js';

const RETRY_DELAY_MS = 500;
const MAX_RETRY_DELAY_MS = 10_000;

export interface SnapshotterDependencies {
  readonly client: MongoClient;
  readonly reader: ChunkReader;
  readonly sequencer: Sequencer;
  readonly progress: TailProgress;
  readonly touched: TouchedKeys;
  readonly report: SnapshotReport;
  readonly logger: Logger;
}

export class Snapshotter {
  readonly #deps: SnapshotterDependencies;
  readonly #queue: TrackedNamespace[] = [];
  readonly #estimated = new Set<TrackedNamespace>();
  readonly #known: Map<string, SnapshotProgress>;
  #wake: () => void = () => {};

  constructor(deps: SnapshotterDependencies, checkpoint: Checkpoint) {
    this.#deps = deps;
    this.#known = new Map(checkpoint.snapshots);
  }

  /** Asks for a snapshot of a collection; one that has been started goes on where it was. */
  request(namespace: TrackedNamespace): void {
    const known = this.#known.get(namespace.name);
    this.#deps.report.requested(namespace.name, known);
    if (known?.state === 'done') return;
    this.#queue.push(namespace);
    this.#wake();
  }

  /** Forgets what was copied of a collection, and gives up what is under way, because another one has taken its name, or none has. */
  forget(namespace: TrackedNamespace): void {
    this.#known.delete(namespace.name);
    this.#deps.touched.invalidate(namespace);
    this.#deps.report.forgotten(namespace.name);
  }

  /** Snapshots what was requested, and what will be, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#run(signal);
    } catch (error) {
      // A chunk that was under way when the signal aborted is read again after the next start.
      if (!signal.aborted) throw error;
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#estimate();
      const namespace = this.#queue.shift();
      if (namespace !== undefined) {
        await this.#snapshot(namespace, signal);
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** Sizes what waits, so that progress and ETA are those of the whole from the start. */
  async #estimate(): Promise<void> {
    const { client, report } = this.#deps;
    for (const namespace of this.#queue) {
      if (this.#estimated.has(namespace)) continue;
      this.#estimated.add(namespace);
      report.estimated(namespace.name, await client.db(namespace.database).collection(namespace.collection).estimatedDocumentCount());
    }
  }

  async #snapshot(namespace: TrackedNamespace, signal: AbortSignal): Promise<void> {
    const { client, sequencer, report, logger } = this.#deps;
    const total = await client.db(namespace.database).collection(namespace.collection).estimatedDocumentCount();
    const known = this.#known.get(namespace.name);
    let progress: SnapshotProgress = {
      state: 'running',
      lastId: null,
      documents: 0,
      startedAtMs: Date.now(),
      ...known,
      total,
      finishedAtMs: null,
    };
    const resumed = progress.documents > 0 ? { resumedAt: progress.documents } : {};
    logger.info({ namespace: namespace.name, total, ...resumed }, 'Snapshot of the collection started');
    report.started(namespace.name, progress);
    let publishing = Promise.resolve(true);
    let after: Buffer | undefined = progress.lastId === null ? undefined : Buffer.from(progress.lastId, 'base64');
    let window: Window;
    while (true) {
      signal.throwIfAborted();
      await this.#deps.progress.near(signal);
      window = this.#deps.touched.open(namespace);
      const chunk = await this.#read(window, after, signal);
      if (!(await publishing)) return this.#giveUp(window);
      if (chunk.lastId === undefined) break;
      after = chunk.lastId;
      publishing = sequencer.chunk(
        window,
        chunk,
        (lastId, documents) => {
          progress = { ...progress, lastId: lastId.toString('base64'), documents: progress.documents + documents };
          report.moved(namespace.name, progress);
          return progress;
        },
        signal,
      );
      publishing.catch(() => {}); // Awaited in the next turn; without this an early failure would count as unhandled.
    }
    progress = { ...progress, state: 'done', finishedAtMs: Date.now() };
    if (!(await sequencer.snapshotProgress(window, progress))) return this.#giveUp(window);
    this.#known.set(namespace.name, progress);
    report.finished(namespace.name, progress);
    const seconds = Math.max(1, Math.round((Date.now() - progress.startedAtMs) / 1000));
    logger.info({ namespace: namespace.name, documents: progress.documents, seconds }, 'Snapshot of the collection finished');
  }

  /** Ends a snapshot whose collection is no longer the one that it began with. */
  #giveUp(window: Window): void {
    const { touched, logger } = this.#deps;
    touched.close(window);
    logger.info({ namespace: window.namespace.name }, 'Snapshot of the collection given up: it was dropped or renamed');
  }

  async #read({ namespace, after: touched }: Window, after: Buffer | undefined, signal: AbortSignal): Promise<Chunk> {
    // What is published already, by this session or by one before.
    const { end } = this.#deps.progress;
    const notBefore = end.compare(touched) > 0 ? end : touched;
    for (let failures = 1; ; failures++) {
      try {
        return await this.#deps.reader.read(namespace, after, notBefore, signal);
      } catch (error) {
        if (signal.aborted || !isRetriableMongoError(error)) throw error;
        this.#deps.logger.warn(
          { err: error, namespace: namespace.name, failures },
          'Reading a chunk of the snapshot failed, reading it again',
        );
        await sleep(Math.min(RETRY_DELAY_MS * 2 ** (failures - 1), MAX_RETRY_DELAY_MS), signal);
      }
    }
  }
}
