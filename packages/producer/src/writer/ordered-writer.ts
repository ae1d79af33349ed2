// The one way to Kafka. Every writer takes a turn, one after the other, so that the records of a key reach Kafka in the order of the turns (promise B)
// with the checkpoint that covers them (promise A).
import { Mutex, Notifier } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';
import type { CheckpointMessage } from '../checkpoint/checkpoint-record.js';
import type { TailProgress } from './tail-progress.js';
import { Turn, type TurnDependencies } from './turn.js';

export interface OrderedWriterDependencies extends TurnDependencies {
  readonly progress: Pick<TailProgress, 'end' | 'wholeEntry'>;
}

/** What is published behind everything that was handed to Kafka before. */
export interface Published {
  /** Everything at or before this entry is; undefined while a transaction is read. */
  readonly passed: Position | undefined;
  /** How many records, those of the checkpoint not counted. */
  readonly published: number;
}

export class OrderedWriter {
  readonly #progress: OrderedWriterDependencies['progress'];
  readonly #mutex = new Mutex();
  readonly #turn: Turn;

  constructor({ progress, ...deps }: OrderedWriterDependencies) {
    this.#progress = progress;
    this.#turn = new Turn(deps);
  }

  /** Runs the task when all earlier ones have ended. The turn is its own until it resolves. */
  inTurn<T>(task: (turn: Turn) => Promise<T>): Promise<T> {
    return this.#mutex.run(() => task(this.#turn));
  }

  /** Publishes what `messages` gives in its turn, if that is anything, and returns whether it was. */
  writeCheckpoint(messages: () => CheckpointMessage[]): Promise<boolean> {
    return this.inTurn(async (turn) => {
      const written = messages();
      if (written.length > 0) await turn.submit([turn.checkpoint(...written)]);
      return written.length > 0;
    });
  }

  /**
   * Publishes the position once more when that was not done for `quietMs`, and waits until it is committed: a producer that was
   * fenced while it had nothing to write hears of it by this.
   */
  confirmLead(quietMs: number): Promise<void> {
    return this.inTurn(async (turn) => {
      if (turn.written.ageMs < quietMs) return;
      await turn.submit([turn.checkpoint(turn.written.moveTo(this.#progress.end))]);
      await turn.flush();
    });
  }

  /**
   * Publishes what `message` makes of what this session has published before, and resolves when that is committed, or the signal aborts. Other writers take their turns
   * meanwhile.
   */
  async writeTime(message: (before: Published) => CheckpointMessage, signal: AbortSignal): Promise<void> {
    const committed = new Notifier();
    let isCommitted = false;
    const onCommitted = (): void => {
      isCommitted = true;
      committed.notify();
    };
    await this.inTurn((turn) => turn.submitBeside(message({ passed: this.#progress.wholeEntry, published: turn.published }), onCommitted));
    await committed.until(() => isCommitted, signal);
  }

  /** Resolves when everything that has passed so far is committed. */
  settled(): Promise<void> {
    return this.inTurn((turn) => turn.flush());
  }

  /** Publishes the position that the tail has reached, and waits until all of it is committed. */
  finish(): Promise<void> {
    return this.inTurn(async (turn) => {
      const { end } = this.#progress;
      if (turn.written.isBefore(end)) await turn.submit([turn.checkpoint(turn.written.moveTo(end))]);
      await turn.flush();
    });
  }
}
