// Copies the collections that have no finished snapshot yet, while the tail runs: several workers, each with a range of a
// collection's ids, whose next chunk is read while the last one is published. Progress is checkpointed with each chunk, so a
// restart goes on inside every range.
import { abortable, type Logger, Mutex, Notifier } from '@tailwater/runtime';
import type { MongoClient, ReadPreferenceLike } from 'mongodb';
import type { TrackedNamespace } from '../../changes/change-batch.js';
import {
  type Checkpoint,
  type CheckpointMessage,
  type SnapshotProgress,
  type SnapshotRange,
  snapshotMessage,
} from '../../checkpoint/checkpoint-record.js';
import { bytesOf } from '../../source/large-reply.js';
import type { Pauses } from '../../writer/pauses.js';
import type { Window } from '../../writer/touched-keys.js';
import type { BackfillWriter, WindowRead } from '../backfill-writer.js';
import type { ChunkBudget } from './chunk-budget.js';
import type { Chunk, ChunkReader } from './chunk-reader.js';
import { CollectionCopy } from './collection-copy.js';
import { type CopyTask, copyTogether, type TogetherDependencies } from './copy-together.js';
import type { RateLimit } from './rate-limit.js';
import { unstartedCopy } from './snapshot-plan.js';
import type { SnapshotReport } from './snapshot-report.js';
import { splitRanges } from './split-ranges.js';

/** More ranges than workers, so that none is left alone with a large one at the end. */
const RANGES_PER_WORKER = 2;
/** Collections that one transaction copies, each smaller than a chunk, together no larger than one. */
const COPIED_TOGETHER = 25;
/** Collections that are sized at once. */
const SIZED_AT_ONCE = 16;
/** A range is worth its bounds when it holds about this many chunks. */
const CHUNKS_PER_RANGE = 2;

export interface SnapshotterDependencies {
  readonly client: MongoClient;
  readonly reader: ChunkReader;
  readonly backfill: BackfillWriter;
  readonly report: SnapshotReport;
  readonly rate: RateLimit;
  /** What all workers have read and not published. */
  readonly budget: ChunkBudget;
  /** Resolves when the collections have their topics, so that others, such as the tail, need not wait for them. */
  readonly ensureTopics: (namespaces: readonly TrackedNamespace[]) => Promise<void>;
  readonly pauses: Pauses;
  readonly logger: Logger;
}

export interface SnapshotterOptions {
  /** The source's name in checkpoints. */
  readonly source: string;
  /** Chunks that are read and published at once. */
  readonly parallel: number;
  readonly chunkDocuments: number;
  readonly readPreference: ReadPreferenceLike;
}

export class Snapshotter {
  readonly #deps: SnapshotterDependencies;
  readonly #options: SnapshotterOptions;
  readonly #queue: TrackedNamespace[] = [];
  readonly #copies = new Map<TrackedNamespace, CollectionCopy>();
  /** Documents of those that waited, as they were estimated. */
  readonly #estimated = new Map<TrackedNamespace, number>();
  readonly #known: Map<string, SnapshotProgress>;
  readonly #picking = new Mutex();
  readonly #together: TogetherDependencies;
  readonly #requested = new Notifier();
  readonly #ended = new Notifier();

  constructor(deps: SnapshotterDependencies, options: SnapshotterOptions, checkpoint: Checkpoint) {
    this.#deps = deps;
    this.#options = options;
    this.#known = new Map(checkpoint.snapshots);
    this.#together = {
      ...deps,
      expectedBytes: ({ namespace }) => deps.reader.expectedBytes(namespace),
      read: (window, range, signal) => this.#read(window, range, signal),
      checkpointOf: (copy, moved) => this.#checkpointOf(copy, moved),
      onPublished: (copy) => this.#finish(copy),
    };
  }

  /** Asks for a snapshot of a collection; one that has been started goes on where it was. */
  request(namespace: TrackedNamespace): void {
    const known = this.#known.get(namespace.name);
    this.#deps.report.requested(namespace.name, known);
    if (known?.state === 'done' || this.#isWanted(namespace)) return;
    this.#queue.push(namespace);
    this.#requested.notify();
  }

  /** Forgets what was copied of a collection and asks for it anew; the record that it returns makes that last. */
  restart(namespace: TrackedNamespace, isAsked: boolean): CheckpointMessage {
    this.#forget(namespace);
    const progress = unstartedCopy(isAsked);
    this.#known.set(namespace.name, progress);
    this.request(namespace);
    return snapshotMessage(this.#options.source, namespace.name, progress);
  }

  /**
   * A collection was made under the tail's eyes and needs no copy. That says nothing of one that is being copied, or was: there
   * it is a shard that joins in.
   *
   * @param isPartial - it may have documents elsewhere that the tail has not seen
   * @returns the records that make this last
   */
  created(namespace: TrackedNamespace, isPartial: boolean): CheckpointMessage[] {
    const { name } = namespace;
    if (isPartial || this.#known.has(name) || this.#isWanted(namespace)) return [];
    const now = Date.now();
    const progress: SnapshotProgress = { state: 'done', ranges: [], documents: 0, total: 0, startedAtMs: now, finishedAtMs: now };
    this.#known.set(name, progress);
    return [snapshotMessage(this.#options.source, name, progress)];
  }

  /**
   * A collection is gone, or a part of one: then its copy begins anew, unless it was finished.
   *
   * @returns the records that make this last
   */
  dropped(namespace: TrackedNamespace, isPartial: boolean): CheckpointMessage[] {
    const { name } = namespace;
    const known = this.#copies.get(namespace)?.progress ?? this.#known.get(name);
    if (isPartial && known?.state === 'done') {
      this.#deps.backfill.invalidate(namespace);
      return [];
    }
    if (isPartial && this.#isWanted(namespace)) return [this.restart(namespace, known?.isAsked === true)];
    return [this.discard(namespace)];
  }

  /** Forgets what was copied of a collection, and copies nothing more of it; the record that it returns makes that last. */
  discard(namespace: TrackedNamespace): CheckpointMessage {
    this.#forget(namespace);
    return snapshotMessage(this.#options.source, namespace.name, null);
  }

  #isWanted(namespace: TrackedNamespace): boolean {
    return this.#copies.has(namespace) || this.#queue.includes(namespace);
  }

  /** Resolves when nothing is being copied and nothing waits. */
  async idle(): Promise<void> {
    await this.#ended.until(() => this.#queue.length === 0 && this.#copies.size === 0);
  }

  /** What was copied is no longer what the checkpoint says, and what is under way is given up. */
  #forget(namespace: TrackedNamespace): void {
    const { backfill, report, logger } = this.#deps;
    this.#known.delete(namespace.name);
    this.#estimated.delete(namespace);
    const waiting = this.#queue.indexOf(namespace);
    if (waiting >= 0) this.#queue.splice(waiting, 1);
    const copy = this.#copies.get(namespace);
    if (copy !== undefined) {
      copy.isVoid = true;
      this.#copies.delete(namespace);
      logger.info({ namespace: namespace.name, documents: copy.progress.documents }, 'Snapshot of the collection cancelled');
    }
    backfill.invalidate(namespace);
    report.forgotten(namespace.name);
    this.#ended.notify();
  }

  /** Snapshots what was requested, and what will be, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const workers = Array.from({ length: this.#options.parallel }, () => this.#work(either));
    for (const worker of workers) worker.catch((error: unknown) => failed.abort(error));
    const failure = (await Promise.allSettled(workers)).find(({ status }) => status === 'rejected');
    // Chunks that were under way when the signal aborted are read again after the next start.
    if (failure !== undefined && !signal.aborted) throw failed.signal.reason;
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const tasks = await this.#picking.run(() => this.#pickTogether(signal));
      await abortable(this.#deps.ensureTopics(tasks.map(({ copy }) => copy.namespace)), signal);
      const larger = tasks.length > 1 ? await copyTogether(this.#together, tasks, signal) : tasks;
      for (const { copy, index } of larger) await this.#copy(copy, index, signal);
    }
  }

  /** What is next for a worker: a range, or several small collections. */
  async #pickTogether(signal: AbortSignal): Promise<CopyTask[]> {
    const first = await this.#pick(signal);
    if (first === undefined) return [];
    const tasks = [first];
    const { chunkDocuments } = this.#options;
    let documents = first.copy.isUntouched ? first.copy.progress.total : chunkDocuments;
    while (documents < chunkDocuments && tasks.length < COPIED_TOGETHER && !signal.aborted) {
      await this.#estimate();
      const namespace = this.#queue[0];
      if (namespace === undefined || documents + (this.#estimated.get(namespace) ?? 0) >= chunkDocuments) break;
      const copy = await this.#begin(namespace);
      const index = copy?.take();
      if (copy !== undefined && index !== undefined) tasks.push({ copy, index });
      documents += copy?.isUntouched === true ? copy.progress.total : chunkDocuments;
    }
    return tasks;
  }

  /** The next range for a worker: of the collections that have been started, else of the next one. */
  async #pick(signal: AbortSignal): Promise<CopyTask | undefined> {
    while (!signal.aborted) {
      for (const copy of this.#copies.values()) {
        const index = copy.take();
        if (index !== undefined) return { copy, index };
      }
      await this.#estimate();
      const namespace = this.#queue[0];
      if (namespace !== undefined) {
        await this.#begin(namespace);
        continue;
      }
      await this.#requested.next(signal);
    }
    return undefined;
  }

  /** Sizes what waits, so that progress and ETA are those of the whole from the start. */
  async #estimate(): Promise<void> {
    const unknown = this.#queue.filter((namespace) => !this.#estimated.has(namespace));
    while (unknown.length > 0) {
      await Promise.all(
        unknown.splice(0, SIZED_AT_ONCE).map(async (namespace) => {
          const total = await this.#count(namespace);
          this.#estimated.set(namespace, total);
          this.#deps.report.estimated(namespace.name, total);
        }),
      );
    }
  }

  #count(namespace: TrackedNamespace): Promise<number> {
    return this.#deps.client.db(namespace.database).collection(namespace.collection).estimatedDocumentCount();
  }

  async #begin(namespace: TrackedNamespace): Promise<CollectionCopy | undefined> {
    const { client, report, logger } = this.#deps;
    const { parallel, chunkDocuments, readPreference } = this.#options;
    const known = this.#known.get(namespace.name);
    const estimated = this.#estimated.get(namespace) ?? chunkDocuments;
    const total = estimated < chunkDocuments ? estimated : await this.#count(namespace);
    const count = parallel === 1 ? 1 : Math.min(parallel * RANGES_PER_WORKER, Math.floor(total / (chunkDocuments * CHUNKS_PER_RANGE)));
    const ranges = known?.ranges ?? (await splitRanges(client, namespace, count, readPreference));
    // Forgotten meanwhile: it is looked at anew when it waits again.
    const waiting = this.#queue.indexOf(namespace);
    if (waiting < 0 || this.#known.get(namespace.name) !== known) return undefined;
    this.#queue.splice(waiting, 1);
    const started = { state: 'running', documents: 0, startedAtMs: Date.now() } as const;
    const copy = new CollectionCopy(namespace, { ...started, ...known, ranges, total, finishedAtMs: null });
    this.#copies.set(namespace, copy);
    const resumed = copy.progress.documents > 0 ? { resumedAt: copy.progress.documents } : {};
    logger.info({ namespace: namespace.name, total, ranges: ranges.length, ...resumed }, 'Snapshot of the collection started');
    report.started(namespace.name, copy.progress);
    return copy;
  }

  /** What the checkpoint says of a copy that has moved on. */
  #checkpointOf({ namespace }: CollectionCopy, moved: SnapshotProgress): CheckpointMessage[] {
    this.#deps.report.moved(namespace.name, moved);
    return [snapshotMessage(this.#options.source, namespace.name, moved)];
  }

  async #copy(copy: CollectionCopy, index: number, signal: AbortSignal): Promise<void> {
    const { backfill, rate, budget, pauses, reader } = this.#deps;
    const { namespace } = copy;
    let publishing = Promise.resolve(true);
    let range = copy.range(index);
    while (true) {
      signal.throwIfAborted();
      await pauses.untilResumed('snapshots', signal);
      await rate.untilAllowed(signal);
      await backfill.untilNear(signal);
      // A failure from here on ends this snapshotter, and its room with it.
      const reservation = await budget.take(reader.expectedBytes(namespace), signal);
      // Nothing may be waited for between this and the window: a copy that is given up ends those that are open.
      if (copy.isVoid) return reservation.release();
      const window = backfill.open(namespace);
      const chunk = await this.#read(window, range, signal);
      reservation.resize(bytesOf(chunk.documents));
      rate.took(chunk.documents.length);
      if (!(await publishing)) {
        reservation.release();
        return backfill.close(window);
      }
      const { lastId } = chunk;
      if (lastId === undefined) {
        const finished = () => this.#checkpointOf(copy, copy.finished(index, chunk.documents.length));
        const isPublished = await this.#publish({ window, rows: chunk, checkpoint: finished }, signal);
        reservation.release();
        if (isPublished) this.#finish(copy);
        return;
      }
      range = { ...range, lastId: lastId.toString('base64') };
      const moved = () => this.#checkpointOf(copy, copy.moved(index, lastId, chunk.documents.length));
      publishing = this.#publish({ window, rows: chunk, checkpoint: moved }, signal).finally(() => reservation.release());
      publishing.catch(() => {}); // Awaited in the next turn; without this an early failure would count as unhandled.
    }
  }

  #finish(copy: CollectionCopy): void {
    const { namespace, progress } = copy;
    if (progress.state !== 'done' || this.#copies.get(namespace) !== copy) return;
    this.#copies.delete(namespace);
    this.#known.set(namespace.name, progress);
    this.#deps.report.finished(namespace.name, progress);
    const seconds = Math.max(1, Math.round((Date.now() - progress.startedAtMs) / 1000));
    this.#deps.logger.info({ namespace: namespace.name, documents: progress.documents, seconds }, 'Snapshot of the collection finished');
    this.#ended.notify();
  }

  /** False when the collection was given up meanwhile. */
  async #publish(read: WindowRead, signal: AbortSignal): Promise<boolean> {
    return (await this.#deps.backfill.publish([read], 'snapshot', signal)).has(read);
  }

  #read(window: Window, range: SnapshotRange, signal: AbortSignal): Promise<Chunk> {
    const { backfill, reader } = this.#deps;
    return backfill.read(window, (notBefore) => reader.read(window.namespace, range, notBefore, signal), signal);
  }
}
