// The one place where the tail and the snapshot meet: each batch and each chunk passes through here alone, so that the
// records of a key reach Kafka in oplog order (promise B) with the checkpoint that covers them (promise A).
import { type Origin, Position } from '@tailwater/schema';
import type { Chunk } from '../backfill/snapshot/chunk-reader.js';
import { fillFromChunk } from '../backfill/snapshot/chunk-rows.js';
import { type Absence, fillFromAbsence } from '../backfill/sweep/absent-rows.js';
import { ChangeBatch, type CollectionCommand, type TrackedNamespace } from '../changes/change-batch.js';
import { type CheckpointMessage, positionMessage, topicMessage } from '../checkpoint/checkpoint-record.js';
import { dropRecords } from '../encode/control-records.js';
import type { EncodedBatch, RecordEncoder, TopicLayout, TopicRecords } from '../encode/record-encoder.js';
import type { DocumentLookup } from '../enrich/document-lookup.js';
import type { FileContents } from '../enrich/file-contents.js';
import { type MemoryShares, shareOut } from '../memory/memory-shares.js';
import type { ProducerMetrics } from '../metrics/producer-metrics.js';
import type { UsedTopic } from '../publish/kafka-topics.js';
import type { Publisher } from '../publish/publisher.js';
import type { Quarantine } from '../quarantine/quarantine.js';
import type { EntryNormalizer } from '../source/entry-normalizer.js';
import { bytesOf } from '../source/large-reply.js';
import type { EntryBatch } from '../source/source.js';
import { tailRows } from '../tail/tail-rows.js';
import { Mutex } from './mutex.js';
import { entryStart, isSameEntry, sliceEnd } from './slice.js';
import type { TailProgress } from './tail-progress.js';
import type { TouchedKeys, Window } from './touched-keys.js';

/** A checkpoint that has no records to travel with waits this long for some, in milliseconds. */
const IDLE_CHECKPOINT_MS = 1000;

export interface SequencerDependencies {
  readonly normalizer: EntryNormalizer;
  readonly lookup: DocumentLookup;
  /** Where GridFS buckets are marked. */
  readonly contents?: FileContents | undefined;
  readonly encoder: RecordEncoder;
  readonly topics: {
    ensure(namespaces: readonly TrackedNamespace[]): Promise<void>;
    takeUnrecorded(): UsedTopic[];
    /** Undefined for a namespace that has none, and whose changes are put aside. */
    layoutOf(namespace: TrackedNamespace): TopicLayout | undefined;
    existing(namespace: TrackedNamespace): Promise<TopicLayout | undefined>;
  };
  /** Where no topic takes a change. */
  readonly quarantine: Pick<Quarantine, 'letters'>;
  readonly publisher: Publisher;
  readonly touched: TouchedKeys;
  readonly progress: TailProgress;
  readonly metrics: ProducerMetrics;
  /** By default those of the default budget. */
  readonly shares?: MemoryShares;
  /** The source's name and the topic of its checkpoints. */
  readonly source: string;
  readonly checkpointTopic: string;
  /** Decides what follows a command. The records that it returns, which make that last, go out with the checkpoint that covers the command. */
  readonly onCommand: (command: CollectionCommand) => CheckpointMessage[];
}

/** What was read of one collection, on its way to its topic. */
export interface ReadChunk {
  readonly window: Window;
  readonly chunk: Chunk;
  /** Checkpoint records that go with the last of it, such as the snapshot's progress. */
  readonly notes: () => CheckpointMessage[];
}

export class Sequencer {
  readonly #deps: SequencerDependencies;
  readonly #mutex = new Mutex();
  readonly #tailRows = new ChangeBatch();
  readonly #chunkRows = new ChangeBatch();
  readonly #shares: MemoryShares;
  #written: Position;
  #writtenAtMs = 0;

  constructor(deps: SequencerDependencies) {
    this.#deps = deps;
    this.#written = new Position(0, 0);
    this.#shares = deps.shares ?? shareOut();
  }

  /** Normalizes, completes and publishes what one read of the source brought. */
  tail(batch: EntryBatch): Promise<void> {
    return this.#mutex.run(async () => {
      const { normalizer, touched, progress, metrics } = this.#deps;
      const rows = this.#tailRows;
      for await (const end of tailRows(batch, rows, normalizer, this.#shares.readAhead)) {
        touched.touch(rows);
        await this.#publishRows(rows, 'tail', (next) => this.#behindSlice(rows, next, end));
      }
      if (rows.length === 0) await this.#idleCheckpoint(batch.end, rows.commands);
      metrics.tailRead(batch.entries.length, batch.end);
      rows.release();
      progress.advance(batch.end, batch.entries.length, batch.isWhole, bytesOf(batch.entries));
    });
  }

  /**
   * Publishes what was read of a collection, without what the tail has touched since its window was opened, behind everything
   * up to its position.
   *
   * @param notes - checkpoint records that go with the last of it, such as the snapshot's progress
   * @returns false when the window is void: nothing was published
   */
  async chunk(
    window: Window,
    chunk: Chunk,
    origin: 'snapshot' | 'refresh',
    notes: () => CheckpointMessage[],
    signal: AbortSignal,
  ): Promise<boolean> {
    return (await this.chunks([{ window, chunk, notes }], origin, signal)).length > 0;
  }

  /** The same for several collections, in one transaction where it holds them; returns those that were published. */
  async chunks(read: readonly ReadChunk[], origin: 'snapshot' | 'refresh', signal: AbortSignal): Promise<ReadChunk[]> {
    for (const { chunk } of read) await this.#deps.progress.passed(chunk.position, signal);
    return this.#mutex.run(async () => {
      const { touched, metrics } = this.#deps;
      const rows = this.#chunkRows;
      rows.clear();
      for (const { window } of read) touched.close(window);
      const valid = read.filter(({ window }) => !window.isVoid);
      for (const { window, chunk } of valid) {
        const before = rows.length;
        fillFromChunk(rows, window, chunk);
        const absent = chunk.absent ?? [];
        fillFromAbsence(rows, window, { ...chunk, keys: absent });
        const count = chunk.documents.length + absent.length;
        metrics.snapshotRead(count, count - (rows.length - before));
      }
      // A chunk of a snapshot that is under way may hold the same documents, as they were before.
      if (origin === 'refresh') touched.touchRows(rows);
      // Only the chunks as a whole move the snapshots on: their rows are not in the way of a checkpoint of the tail.
      const behind = (): TopicRecords[] => [this.#checkpoint(...valid.flatMap(({ notes }) => notes()), ...this.#duePosition())];
      await this.#publishRows(rows, origin, (next) => (next < rows.length ? [] : behind()));
      if (rows.length === 0 && valid.length > 0) await this.#submit(behind());
      rows.release();
      return valid;
    });
  }

  /**
   * Publishes tombstones of keys that the source does not have and the tail has not touched since the window was opened, behind
   * everything up to the position where that was seen.
   *
   * @returns how many; undefined when the window is void: nothing was published
   */
  async tombstones(window: Window, absence: Absence, signal: AbortSignal): Promise<number | undefined> {
    await this.#deps.progress.passed(absence.position, signal);
    return this.#mutex.run(async () => {
      this.#deps.touched.close(window);
      if (window.isVoid) return undefined;
      const rows = this.#chunkRows;
      rows.clear();
      fillFromAbsence(rows, window, absence);
      await this.#publishRows(rows, 'sweep', () => []);
      return rows.length;
    });
  }

  /** Publishes what `messages` gives in its turn, if that is anything, and returns whether it was. */
  note(messages: () => CheckpointMessage[]): Promise<boolean> {
    return this.#mutex.run(async () => {
      const noted = messages();
      if (noted.length > 0) await this.#submit([this.#checkpoint(...noted)]);
      return noted.length > 0;
    });
  }

  /**
   * Publishes the position once more when that was not done for `quietMs`, and waits until it is committed: a producer that was
   * fenced while it had nothing to write hears of it by this.
   */
  proveLead(quietMs: number): Promise<void> {
    return this.#mutex.run(async () => {
      if (Date.now() - this.#writtenAtMs < quietMs) return;
      await this.#submit([this.#checkpoint(this.#positionMessage(this.#deps.progress.end))]);
      await this.#deps.publisher.flush();
    });
  }

  /** Resolves when everything that has passed so far is committed. */
  settled(): Promise<void> {
    return this.#mutex.run(() => this.#deps.publisher.flush());
  }

  /** Publishes the position that the tail has reached, and waits until all of it is committed. */
  finish(): Promise<void> {
    return this.#mutex.run(async () => {
      const { end } = this.#deps.progress;
      if (end.compare(this.#written) > 0) await this.#submit([this.#checkpoint(this.#positionMessage(end))]);
      await this.#deps.publisher.flush();
    });
  }

  async #publishRows(
    rows: ChangeBatch,
    origin: Origin,
    besideSlice: (next: number) => TopicRecords[] | Promise<TopicRecords[]>,
  ): Promise<void> {
    const { lookup, contents, encoder, topics, quarantine } = this.#deps;
    for (let from = 0; from < rows.length; ) {
      const expected = sliceEnd(rows, from, this.#shares.slice, (namespace) => lookup.documentsPerSlice(namespace), contents?.bytesOf);
      const to = await lookup.fill(rows, from, expected);
      await contents?.fill(rows, from, to);
      await topics.ensure(namespacesOf(rows, from, to));
      const encoded = encoder.encode(rows, from, to, origin, (namespace) => topics.layoutOf(namespace));
      const letters = encoded.refused.length === 0 ? [] : [await quarantine.letters(rows, encoded.refused, origin)];
      rows.releaseDocuments(from, to);
      await this.#submit([...letters, ...(await besideSlice(to))], origin, encoded);
      // A large one is alone in memory: the next is not made while it is on its way.
      if (encoded.bytes > this.#shares.kept) await this.#deps.publisher.idle();
      from = to;
    }
  }

  /**
   * The position behind the rows before `next`, and what the commands up to there leave behind; inside a transaction the one behind the
   * entry before it. A crash in its middle repeats the whole of it, which versions make harmless (promise D), and nothing else.
   *
   * @param end - the position behind all rows, undefined when more of a transaction follows them
   */
  #behindSlice(rows: ChangeBatch, next: number, end: Position | undefined): TopicRecords[] | Promise<TopicRecords[]> {
    const position = next === rows.length && end !== undefined ? end : this.#behindWholeEntries(rows, next, end);
    if (position === undefined) return [];
    if (rows.commands.length === 0) return [this.#checkpoint(this.#positionMessage(position))];
    return this.#behindCommands(rows.commands, position);
  }

  #behindWholeEntries(rows: ChangeBatch, next: number, end: Position | undefined): Position | undefined {
    let last = next - 1;
    const isInside = next < rows.length ? isSameEntry(rows, last, next) : end === undefined;
    if (isInside) last = entryStart(rows, last) - 1;
    const position = last < 0 ? undefined : this.#deps.normalizer.positionBehind(rows, last);
    // An earlier slice of the same transaction may have said so already.
    return isInside && position !== undefined && position.compare(this.#written) <= 0 ? undefined : position;
  }

  /** The position that the tail has come to, where it has not been noted for a while: beside a snapshot's chunks it costs no transaction of its own. */
  #duePosition(): CheckpointMessage[] {
    const { end } = this.#deps.progress;
    // What a session begins with is in the checkpoint already.
    const isNew = this.#writtenAtMs > 0 && end.compare(this.#written) > 0;
    return isNew && Date.now() - this.#writtenAtMs >= IDLE_CHECKPOINT_MS / 2 ? [this.#positionMessage(end)] : [];
  }

  async #idleCheckpoint(end: Position, commands: CollectionCommand[]): Promise<void> {
    const due = end.compare(this.#written) > 0 && Date.now() - this.#writtenAtMs >= IDLE_CHECKPOINT_MS;
    if (due || commands.length > 0) await this.#submit(await this.#behindCommands(commands, end));
    else this.#deps.publisher.throwIfFailed();
  }

  /** What the commands up to `position` mean for snapshots and sweeps and tell the readers of their topics, and the position. */
  async #behindCommands(commands: CollectionCommand[], position: Position): Promise<TopicRecords[]> {
    const { source, topics, onCommand, touched } = this.#deps;
    const messages: CheckpointMessage[] = [];
    const control: TopicRecords[] = [];
    while (commands[0] !== undefined && new Position(commands[0].t, commands[0].i).compare(position) <= 0) {
      const command = commands.shift() as CollectionCommand;
      const isGone = command.kind !== 'create' && command.namespace.included;
      const layout = isGone ? await topics.existing(command.namespace) : undefined;
      if (layout !== undefined) control.push(dropRecords(source, command, layout));
      touched.reach(new Position(command.t, command.i));
      messages.push(...onCommand(command));
    }
    return [...control, this.#checkpoint(...messages, this.#positionMessage(position))];
  }

  #checkpoint(...messages: CheckpointMessage[]): TopicRecords {
    return { topic: this.#deps.checkpointTopic, messages };
  }

  #positionMessage(position: Position): CheckpointMessage {
    this.#written = position;
    this.#writtenAtMs = Date.now();
    return positionMessage(this.#deps.source, position, this.#writtenAtMs);
  }

  async #submit(beside: readonly TopicRecords[], origin?: Origin, encoded?: EncodedBatch): Promise<void> {
    const { publisher, metrics, source } = this.#deps;
    const startedAtMs = performance.now();
    const topics = encoded?.topics ?? [];
    const used = this.#deps.topics.takeUnrecorded();
    const records = used.map(({ namespace, topic }) => topicMessage(source, namespace.name, topic));
    for (const { topic, messages } of used.length === 0 ? beside : [...beside, this.#checkpoint(...records)]) {
      const known = topics.find((each) => each.topic === topic);
      if (known === undefined) topics.push({ topic, messages });
      else known.messages.push(...messages);
    }
    // Rows of which nothing is left are submitted too: they are counted, and the encoder's buffers stay in turn.
    if (topics.length === 0 && encoded === undefined) return;
    const transactions = topics.length === 0 ? 0 : 1;
    await publisher.submit({
      topics,
      onCommitted: () => metrics.committed(transactions, origin, encoded, performance.now() - startedAtMs),
    });
  }
}

/** Each namespace of the rows `[from, to)`, mostly once. */
function namespacesOf({ namespace }: ChangeBatch, from: number, to: number): TrackedNamespace[] {
  const namespaces: TrackedNamespace[] = [];
  for (let row = from; row < to; row++) if (namespace[row] !== namespaces.at(-1)) namespaces.push(namespace[row] as TrackedNamespace);
  return namespaces;
}
