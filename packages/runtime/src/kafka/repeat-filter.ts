// A flood of one message as two lines: the message at once, then how often it was repeated.

const DEFAULT_WINDOW_MS = 30_000;

interface Burst {
  repeats: number;
  timer: NodeJS.Timeout;
}

export class RepeatFilter {
  readonly #windowMs: number;
  readonly #bursts = new Map<string, Burst>();

  constructor(windowMs: number = DEFAULT_WINDOW_MS) {
    this.#windowMs = windowMs;
  }

  /**
   * Emits the first of its kind at once; those that follow within the window are counted, and emitted as one, with their
   * number, when it ends. While they go on, so does the counting, window after window.
   *
   * @param emit - gets `undefined` for the first, else how often it came in the last window and the window's length in milliseconds
   */
  pass(kind: string, emit: (repeated: { times: number; windowMs: number } | undefined) => void): void {
    const burst = this.#bursts.get(kind);
    if (burst !== undefined) {
      burst.repeats += 1;
      return;
    }
    emit(undefined);
    const close = () => {
      const { repeats } = started;
      if (repeats === 0) {
        clearInterval(started.timer);
        this.#bursts.delete(kind);
        return;
      }
      started.repeats = 0;
      emit({ times: repeats, windowMs: this.#windowMs });
    };
    const started: Burst = { repeats: 0, timer: setInterval(close, this.#windowMs).unref() };
    this.#bursts.set(kind, started);
  }
}
