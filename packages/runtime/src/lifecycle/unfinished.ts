// What a process that stops still waits for: should the time that it has for stopping run out, this is what it says.

export class Unfinished {
  readonly #names: string[] = [];

  /** In the order in which they began. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Settles as `work` does; until then `name` is unfinished. */
  async until<T>(name: string, work: Promise<T>): Promise<T> {
    this.#names.push(name);
    try {
      return await work;
    } finally {
      this.#names.splice(this.#names.indexOf(name), 1);
    }
  }
}
