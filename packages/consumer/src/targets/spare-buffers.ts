// Writers of requests that are not in use. A large document makes its writer's buffer large for good; one such buffer is worth
// keeping, because making it anew for each large document leaves tens of megabytes for the garbage collector, several are not.

/** Room for one request with a document of 16 MB. */
const KEEP_BYTES = 24 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

export class SpareBuffers<T extends { readonly capacity: number }> {
  readonly #create: () => T;
  readonly #spare: T[] = [];
  #bytes = 0;

  constructor(create: () => T) {
    this.#create = create;
  }

  /** A writer that is not in use: the largest of the spare ones, or a new one. */
  take(): T {
    const taken = this.#spare.pop();
    this.#bytes -= taken?.capacity ?? 0;
    return taken ?? this.#create();
  }

  /** Gives one back whose memory is not read any more. */
  giveBack(writer: T): void {
    if (this.#bytes + writer.capacity > KEEP_BYTES) return;
    this.#bytes += writer.capacity;
    this.#spare.push(writer);
    this.#spare.sort((a, b) => a.capacity - b.capacity);
  }
}

/** The size of a buffer that grows: twice, so that growing is rare, unless what is needed is large: then an eighth to spare. */
export function grownSize(size: number, needed: number): number {
  return needed < MEGABYTE ? Math.max(needed, size * 2) : needed + Math.ceil(needed / 8);
}
