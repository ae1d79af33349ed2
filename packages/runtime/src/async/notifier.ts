// One part tells others that something has changed, and they look whether it is what they wait for.
//
// Maintained invariant: a waiter is forgotten when its wait ends, for whatever reason; a wait leaves no listener and no timer behind.
import { onAbort } from './on-abort.js';

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
}

export class Notifier {
  readonly #waiters = new Set<Waiter>();

  /** Whether anyone waits. */
  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  /** Something has changed: wakes those whose condition holds now. */
  notify(): void {
    for (const waiter of this.#waiters) if (waiter.isMet()) waiter.resolve();
  }

  /** Resolves at the next {@link notify}, when the signal aborts, or after `withinMs` milliseconds. It never rejects. */
  next(signal?: AbortSignal, withinMs?: number): Promise<void> {
    return this.#wait(() => true, signal, withinMs);
  }

  /**
   * Resolves once the condition holds, which is looked at now and at each {@link notify}, or when the signal aborts. It never rejects.
   * Of several that wait for the same thing all are woken: if one of them takes it, the others have to look again.
   *
   * @returns whether the condition held, and not only the signal aborted
   */
  async until(isMet: () => boolean, signal?: AbortSignal): Promise<boolean> {
    let isHeld = isMet();
    if (!isHeld) {
      const look = (): boolean => {
        isHeld = isMet();
        return isHeld;
      };
      await this.#wait(look, signal);
    }
    return isHeld;
  }

  #wait(isMet: () => boolean, signal?: AbortSignal, withinMs?: number): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      let stopListening = (): void => {};
      let timer: NodeJS.Timeout | undefined;
      const waiter = {
        isMet,
        resolve: (): void => {
          this.#waiters.delete(waiter);
          clearTimeout(timer);
          stopListening();
          resolve();
        },
      };
      this.#waiters.add(waiter);
      if (signal !== undefined) stopListening = onAbort(signal, waiter.resolve);
      if (withinMs !== undefined) timer = setTimeout(waiter.resolve, Math.max(0, withinMs));
    });
  }
}
