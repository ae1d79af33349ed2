// What the source brings, published in its order: rows touch their keys before they go out, and what follows from a drop or a rename goes out with the checkpoint that passes
// it (promises A and B).
import { Position } from '@tailwater/schema';
import { ChangeBatch, type CollectionCommand, type TrackedNamespace } from '../changes/change-batch.js';
import type { CheckpointMessage } from '../checkpoint/checkpoint-record.js';
import { dropRecords } from '../encode/control-records.js';
import type { TopicLayout, TopicRecords } from '../encode/record-encoder.js';
import { divideMemory, type MemoryShares } from '../memory/memory-shares.js';
import type { ProducerMetrics } from '../metrics/producer-metrics.js';
import type { EntryNormalizer } from '../source/entry-normalizer.js';
import { bytesOf } from '../source/large-reply.js';
import type { EntryBatch } from '../source/source.js';
import type { OrderedWriter } from '../writer/ordered-writer.js';
import { entryStart, isSameEntry } from '../writer/slice.js';
import type { TailProgress } from '../writer/tail-progress.js';
import type { TouchedKeys } from '../writer/touched-keys.js';
import type { Turn } from '../writer/turn.js';
import { tailRows } from './tail-rows.js';

/** A checkpoint that has no records to travel with waits this long for some, in milliseconds. */
const IDLE_CHECKPOINT_MS = 1000;

export interface TailWriterDependencies {
  readonly writer: OrderedWriter;
  readonly normalizer: EntryNormalizer;
  readonly touched: TouchedKeys;
  readonly progress: TailProgress;
  readonly topics: { existing(namespace: TrackedNamespace): Promise<TopicLayout | undefined> };
  readonly metrics: ProducerMetrics;
  /** By default those of the default budget. */
  readonly shares?: MemoryShares;
  /** The source's name in checkpoints. */
  readonly source: string;
  /** Decides what follows a command. The records that it returns, which make that last, go out with the checkpoint that covers the command. */
  readonly onCommand: (command: CollectionCommand) => CheckpointMessage[];
}

export class TailWriter {
  readonly #deps: TailWriterDependencies;
  readonly #rows = new ChangeBatch();
  readonly #portionBytes: number;

  constructor(deps: TailWriterDependencies) {
    this.#deps = deps;
    this.#portionBytes = (deps.shares ?? divideMemory()).readAhead;
  }

  /** Normalizes, completes and publishes what one read of the source brought. */
  write(batch: EntryBatch): Promise<void> {
    const { writer, normalizer, touched, progress, metrics } = this.#deps;
    return writer.inTurn(async (turn) => {
      const rows = this.#rows;
      for await (const end of tailRows(batch, rows, normalizer, this.#portionBytes)) {
        touched.touch(rows);
        await turn.publish(rows, 'tail', (next) => this.#behindSlice(turn, rows, next, end));
      }
      if (rows.length === 0) await this.#idleCheckpoint(turn, batch.end, rows.commands);
      metrics.tailRead(batch.entries.length, batch.end);
      rows.release();
      progress.advance(batch.end, batch.entries.length, batch.isWhole, bytesOf(batch.entries));
    });
  }

  /**
   * The position behind the rows before `next`, and what the commands up to there leave behind; inside a transaction the one behind the
   * entry before it. A crash in its middle repeats the whole of it, which versions make harmless (promise D), and nothing else.
   *
   * @param end - the position behind all rows, undefined when more of a transaction follows them
   */
  #behindSlice(turn: Turn, rows: ChangeBatch, next: number, end: Position | undefined): TopicRecords[] | Promise<TopicRecords[]> {
    const position = next === rows.length && end !== undefined ? end : this.#behindWholeEntries(turn, rows, next, end);
    if (position === undefined) return [];
    if (rows.commands.length === 0) return [turn.checkpoint(turn.written.moveTo(position))];
    return this.#behindCommands(turn, rows.commands, position);
  }

  #behindWholeEntries(turn: Turn, rows: ChangeBatch, next: number, end: Position | undefined): Position | undefined {
    let last = next - 1;
    const isInside = next < rows.length ? isSameEntry(rows, last, next) : end === undefined;
    if (isInside) last = entryStart(rows, last) - 1;
    const position = last < 0 ? undefined : this.#deps.normalizer.positionBehind(rows, last);
    // An earlier slice of the same transaction may have said so already.
    return isInside && position !== undefined && !turn.written.isBefore(position) ? undefined : position;
  }

  async #idleCheckpoint(turn: Turn, end: Position, commands: CollectionCommand[]): Promise<void> {
    const isDue = turn.written.isBefore(end) && turn.written.ageMs >= IDLE_CHECKPOINT_MS;
    if (isDue || commands.length > 0) await turn.submit(await this.#behindCommands(turn, commands, end));
    else turn.throwIfFailed();
  }

  /** What the commands up to `position` mean for snapshots and sweeps and tell the readers of their topics, and the position. */
  async #behindCommands(turn: Turn, commands: CollectionCommand[], position: Position): Promise<TopicRecords[]> {
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
    return [...control, turn.checkpoint(...messages, turn.written.moveTo(position))];
  }
}
