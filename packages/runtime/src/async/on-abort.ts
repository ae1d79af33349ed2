// Listening to a signal on which many wait, for months: it has one listener for all of them, and none while there are none. Node takes the eleventh for a leak.

class Listeners {
  readonly #signal: AbortSignal;
  readonly #acts = new Set<() => void>();
  readonly #onAbort = (): void => {
    for (const act of this.#acts) act();
    this.#acts.clear();
  };

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(act: () => void): () => void {
    // An object of its own: the same function may be given twice.
    const own = (): void => act();
    if (this.#acts.size === 0) this.#signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#acts.add(own);
    return () => {
      if (this.#acts.delete(own) && this.#acts.size === 0) this.#signal.removeEventListener('abort', this.#onAbort);
    };
  }
}

const listenersOf = new WeakMap<AbortSignal, Listeners>();

/**
 * Calls `act` when the signal aborts, or at once if it already has.
 *
 * @returns what ends the listening
 */
export function onAbort(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) {
    act();
    return () => {};
  }
  let listeners = listenersOf.get(signal);
  if (listeners === undefined) {
    listeners = new Listeners(signal);
    listenersOf.set(signal, listeners);
  }
  return listeners.add(act);
}
