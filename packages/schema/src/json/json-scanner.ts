// JSON text, token by token, as bytes: strings are handed over as the UTF-8 that they are.

/** Thrown for text that is not the JSON that it should be. */
export class InvalidJsonError extends Error {
  override readonly name = 'InvalidJsonError';
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

export class JsonScanner {
  readonly #source: Buffer;
  at = 0;

  constructor(source: Buffer) {
    this.#source = source;
  }

  /** The next byte that is no white space; undefined at the end. */
  peek(): number | undefined {
    for (; ; this.at++) {
      const byte = this.#source[this.at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    }
  }

  /** Steps over a character, and returns whether it was there. */
  take(character: string): boolean {
    const isThere = this.peek() === character.charCodeAt(0);
    if (isThere) this.at += 1;
    return isThere;
  }

  expect(character: string): void {
    if (!this.take(character)) this.fail(`"${character}"`);
  }

  word(word: string): void {
    const end = this.at + word.length;
    if (this.#source.toString('latin1', this.at, end) !== word) this.fail(word);
    this.at = end;
  }

  number(): string {
    const start = this.at;
    let end = start;
    for (let byte = this.#source[end]; byte !== undefined && isOfNumber(byte); byte = this.#source[++end]);
    const text = this.#source.toString('latin1', start, end);
    if (!NUMBER.test(text)) this.fail('a value');
    this.at = end;
    return text;
  }

  /** The bytes of a string. */
  text(): Buffer {
    if (this.peek() !== QUOTE) this.fail('a string');
    const start = this.at;
    const end = this.#stringEnd(start);
    this.at = end + 1;
    const raw = this.#source.subarray(start + 1, end);
    if (!raw.includes(BACKSLASH)) return raw;
    return Buffer.from(this.#parse(start, end + 1) as string);
  }

  /** The object that begins at `start`, to its end, as a value: for small ones, whose numbers are small. */
  rest(start: number): unknown {
    let end = start;
    for (let depth = 0; ; end++) {
      const byte = this.#source[end];
      if (byte === undefined) this.fail('the end of an object');
      if (byte === QUOTE) end = this.#stringEnd(end);
      else if (byte === 0x7b) depth += 1;
      else if (byte === 0x7d && --depth === 0) break;
    }
    this.at = end + 1;
    return this.#parse(start, end + 1);
  }

  /** Nothing but white space may follow. */
  end(): void {
    if (this.peek() !== undefined) this.fail('nothing more');
  }

  /** @throws InvalidJsonError */
  fail(expected: string): never {
    throw new InvalidJsonError(`Not JSON: expected ${expected} at byte ${this.at}`);
  }

  #stringEnd(start: number): number {
    for (let end = start + 1; ; ) {
      end = this.#source.indexOf(QUOTE, end);
      if (end < 0) this.fail('the end of a string');
      let backslashes = 0;
      while (this.#source[end - 1 - backslashes] === BACKSLASH) backslashes += 1;
      if (backslashes % 2 === 0) return end;
      end += 1;
    }
  }

  #parse(start: number, end: number): unknown {
    try {
      return JSON.parse(this.#source.toString('utf8', start, end));
    } catch {
      this.at = start;
      this.fail('JSON');
    }
  }
}

const isOfNumber = (byte: number): boolean =>
  (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x2b || byte === 0x2e || byte === 0x45 || byte === 0x65;
