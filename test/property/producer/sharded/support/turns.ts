// Who goes on next: whatever waits, waits here, and the numbers of a test case decide which of them is let go. Once these are used
// up, everybody has a turn in the order in which they came, so that every case ends.

interface Waiting {
  readonly what: string;
  readonly go: () => void;
}

/** A clock of the system is behind a step here and there, such as the pause of a reader that failed: so long it may take, in milliseconds. */
const PATIENCE_MS = 2000;

export class Turns {
  readonly #choices: number[];
  readonly #waiting: Waiting[] = [];
  taken = 0;

  constructor(choices: readonly number[]) {
    this.#choices = [...choices];
  }

  readonly turn = (what: string): Promise<void> => new Promise((go) => this.#waiting.push({ what, go }));

  /** Gives turns until all of it is over. */
  async until<T>(all: Promise<T>): Promise<T> {
    let isOver = false;
    const over = (): void => {
      isOver = true;
    };
    all.then(over, over);
    for (let idleSinceMs: number | undefined; ; ) {
      // Everything that follows from the turn before has happened when the event loop comes round.
      await new Promise(setImmediate);
      if (isOver) return all;
      const { length } = this.#waiting;
      if (length === 0) {
        idleSinceMs ??= performance.now();
        if (performance.now() - idleSinceMs > PATIENCE_MS) throw new Error(`Nobody waits for a turn, after ${this.taken} of them`);
        continue;
      }
      idleSinceMs = undefined;
      if (++this.taken > MAX_TURNS) throw new Error(`It does not end: ${this.#waiting.map(({ what }) => what).join(', ')}`);
      const [next] = this.#waiting.splice((this.#choices.shift() ?? 0) % length, 1);
      next?.go();
    }
  }
}

const MAX_TURNS = 20_000;
