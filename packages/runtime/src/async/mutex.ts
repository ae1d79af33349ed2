// Runs tasks one after the other, first come first served.

export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    // The next task runs whether this one failed or not; the failure is its caller's.
    this.#last = result.catch(() => {});
    return result;
  }
}
