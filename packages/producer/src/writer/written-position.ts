// The position that the checkpoint has, or will have with the transaction that is being made.
import { type Clock, systemClock } from '@tailwater/runtime';
import { Position } from '@tailwater/schema';
import { type CheckpointMessage, positionMessage } from '../checkpoint/checkpoint-record.js';

export class WrittenPosition {
  readonly #source: string;
  readonly #clock: Clock;
  #position = new Position(0, 0);
  #atMs = 0;

  /** @param source - its name in checkpoints */
  constructor(source: string, clock: Clock = systemClock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** How long ago it was written, in milliseconds; for ever when this session has written none. */
  get ageMs(): number {
    return this.#atMs === 0 ? Number.POSITIVE_INFINITY : this.#clock.now() - this.#atMs;
  }

  isBefore(position: Position): boolean {
    return position.compare(this.#position) > 0;
  }

  /** The record that moves the checkpoint on to the position. */
  moveTo(position: Position): CheckpointMessage {
    this.#position = position;
    this.#atMs = this.#clock.now();
    return positionMessage(this.#source, position, this.#atMs);
  }
}
