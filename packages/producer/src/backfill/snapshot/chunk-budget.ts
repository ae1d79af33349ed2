// Bounds what all workers of a snapshot have read and not published, in bytes. First come, first served; a worker never waits for
// room while it holds a chunk that is not being published, so that one always goes on.
import { abortable } from '@tailwater/runtime';

/** Room for one chunk, until it is given back. */
export interface ChunkReservation {
  /** The chunk is there, and it has so many bytes. */
  resize(bytes: number): void;
  /** May be called twice. */
  release(): void;
}

export class ChunkBudget {
  readonly #capacity: number;
  #reservation = 0;
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = [];

  /** @param capacityBytes - a chunk that is larger by itself is let in alone */
  constructor(capacityBytes: number) {
    this.#capacity = capacityBytes;
  }

  /**
   * Waits for room.
   *
   * @param bytes - that the chunk is expected to have
   * @throws the signal's reason
   */
  async take(bytes: number, signal: AbortSignal): Promise<ChunkReservation> {
    let isIn = false;
    const entered = new Promise<void>((resolve) => {
      const enter = (): void => {
        isIn = true;
        this.#reservation += bytes;
        resolve();
      };
      this.#waiting.push({ bytes, enter });
    });
    this.#admit();
    const reservation = this.#hold(bytes);
    try {
      await abortable(entered, signal);
    } catch (error) {
      if (isIn) reservation.release();
      else {
        // The snapshot ends: nothing waits behind it. It is let in when its turn comes, and leaves at once.
        void entered.then(() => reservation.release());
      }
      throw error;
    }
    return reservation;
  }

  #hold(expected: number): ChunkReservation {
    let bytes = expected;
    return {
      resize: (actual) => {
        this.#reservation += actual - bytes;
        bytes = actual;
        this.#admit();
      },
      release: () => {
        this.#reservation -= bytes;
        bytes = 0;
        this.#admit();
      },
    };
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#reservation > 0 && this.#reservation + next.bytes > this.#capacity) return;
      this.#waiting.shift();
      next.enter();
    }
  }
}
