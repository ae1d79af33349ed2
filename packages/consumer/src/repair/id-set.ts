// Sets of ids, of any number in bounded memory: an id is its digest, 16 bytes in a table, and when all tables together grow too large, only a part of all ids is
// looked at, and the rest in further passes. A digest has 128 bits, so that two ids of one digest do not occur: the deletion of one would be that of the other.
import { hash } from 'node:crypto';

const WORDS = 4;
const FIRST_SLOTS = 1_024;
/** Above this share of slots in use a table doubles. */
const MAX_LOAD = 0.7;
/** Of all tables together; while one is made anew, its old and its new one are there. */
const DEFAULT_LIMIT_BYTES = 256 * 1024 * 1024;

/** Those ids whose digest, divided by `of`, leaves `index`; `of` is a power of two. */
interface Part {
  readonly of: number;
  readonly index: number;
}

type Digest = readonly [number, number, number, number];

export class IdSets {
  readonly #limitBytes: number;
  readonly #sets: IdSet[] = [];
  readonly #left: Part[] = [{ of: 1, index: 0 }];
  #part: Part = { of: 1, index: 0 };

  constructor(limitBytes = DEFAULT_LIMIT_BYTES) {
    this.#limitBytes = limitBytes;
  }

  create(): IdSet {
    const set = new IdSet(
      ([, , , last]) => (last & (this.#part.of - 1)) === this.#part.index,
      () => this.#bound(),
    );
    this.#sets.push(set);
    return set;
  }

  /** Empties the sets and begins with the next part of all ids; false when all were there. */
  next(): boolean {
    const part = this.#left.pop();
    if (part === undefined) return false;
    this.#part = part;
    for (const set of this.#sets) set.clear();
    return true;
  }

  #bound(): void {
    while (this.#sets.reduce((sum, { bytes }) => sum + bytes, 0) > this.#limitBytes) {
      const { of, index } = this.#part;
      this.#left.push({ of: of * 2, index: index + of });
      this.#part = { of: of * 2, index };
      for (const set of this.#sets) set.trim();
    }
  }
}

export class IdSet {
  readonly #isInPart: (digest: Digest) => boolean;
  readonly #onGrown: () => void;
  #table = new Uint32Array(FIRST_SLOTS * WORDS);
  #size = 0;

  /** @param isInPart - others are left out */
  constructor(isInPart: (digest: Digest) => boolean, onGrown: () => void) {
    this.#isInPart = isInPart;
    this.#onGrown = onGrown;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#table.byteLength;
  }

  add(id: string): void {
    const digest = digestOf(id);
    if (this.#isInPart(digest)) this.#insert(digest);
  }

  delete(id: string): void {
    const digest = digestOf(id);
    const at = this.#isInPart(digest) ? this.#find(digest) : undefined;
    if (at === undefined || !this.#isUsed(at)) return;
    this.#size -= 1;
    this.#closeGap(at);
  }

  /** Undefined when the id is in no part that is looked at now. */
  has(id: string): boolean | undefined {
    const digest = digestOf(id);
    return this.#isInPart(digest) ? this.#isUsed(this.#find(digest)) : undefined;
  }

  clear(): void {
    this.#table = new Uint32Array(FIRST_SLOTS * WORDS);
    this.#size = 0;
  }

  /** Lets go of what is not in the part any more. */
  trim(): void {
    this.#rebuild(Math.max(FIRST_SLOTS, this.#slots / 2));
  }

  get #slots(): number {
    return this.#table.length / WORDS;
  }

  #insert(digest: Digest): void {
    const at = this.#find(digest);
    if (this.#isUsed(at)) return;
    this.#table.set(digest, at * WORDS);
    this.#size += 1;
    if (this.#size <= this.#slots * MAX_LOAD) return;
    this.#rebuild(this.#slots * 2);
    this.#onGrown();
  }

  #rebuild(slots: number): void {
    const before = this.#table;
    this.#table = new Uint32Array(slots * WORDS);
    this.#size = 0;
    for (let at = 0; at < before.length; at += WORDS) {
      const digest: Digest = [before[at], before[at + 1], before[at + 2], before[at + 3]] as unknown as Digest;
      if (digest[0] !== 0 && this.#isInPart(digest)) this.#insert(digest);
    }
  }

  /** Its slot, or the free one where it belongs. */
  #find([first, second, third, fourth]: Digest): number {
    const mask = this.#slots - 1;
    const table = this.#table;
    for (let slot = first & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WORDS;
      const isIt = table[at] === first && table[at + 1] === second && table[at + 2] === third && table[at + 3] === fourth;
      if (isIt || table[at] === 0) return slot;
    }
  }

  #isUsed(slot: number): boolean {
    return this.#table[slot * WORDS] !== 0;
  }

  /** Those behind it that would not be found any more move up. */
  #closeGap(gap: number): void {
    const mask = this.#slots - 1;
    const table = this.#table;
    for (let slot = (gap + 1) & mask, free = gap; ; slot = (slot + 1) & mask) {
      const at = slot * WORDS;
      if (table[at] === 0) {
        table.fill(0, free * WORDS, free * WORDS + WORDS);
        return;
      }
      const home = (table[at] as number) & mask;
      if (((slot - home) & mask) < ((slot - free) & mask)) continue;
      table.copyWithin(free * WORDS, at, at + WORDS);
      free = slot;
    }
  }
}

/** The first word is never 0, which is an empty slot. */
function digestOf(id: string): Digest {
  const bytes = hash('sha256', id, 'buffer');
  return [bytes.readUInt32LE(0) || 1, bytes.readUInt32LE(4), bytes.readUInt32LE(8), bytes.readUInt32LE(12)];
}
