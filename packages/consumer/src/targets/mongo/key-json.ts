// Reads a record key, which is JSON, without losing what JavaScript objects lose: member order of integer-like names,
// duplicate names, integers beyond 2^53. The grammar is RFC 8259's, as the producer writes it: no white space between tokens.

export type KeyNode =
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'word'; readonly text: 'true' | 'false' | 'null' }
  | { readonly kind: 'array'; readonly elements: readonly KeyNode[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, KeyNode])[] };

/** Thrown for a key that is not JSON as the producer writes it. */
export class InvalidKeyError extends Error {
  override readonly name = 'InvalidKeyError';
}

const STRING = /"(?:[^"\\]|\\.)*"/y;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;

class KeyReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): KeyNode {
    const node = this.#value();
    if (this.#at !== this.#text.length) throw this.#unexpected();
    return node;
  }

  #value(): KeyNode {
    switch (this.#text[this.#at]) {
      case '{':
        return { kind: 'object', members: this.#list('}', () => this.#member()) };
      case '[':
        return { kind: 'array', elements: this.#list(']', () => this.#value()) };
      case '"':
        return { kind: 'string', text: this.#string() };
      case 't':
      case 'f':
      case 'n':
        return { kind: 'word', text: this.#token(WORD) as 'true' | 'false' | 'null' };
      default:
        return { kind: 'number', text: this.#token(NUMBER) };
    }
  }

  #member(): readonly [string, KeyNode] {
    const name = this.#string();
    if (this.#text[this.#at] !== ':') throw this.#unexpected();
    this.#at += 1;
    return [name, this.#value()];
  }

  #list<T>(close: string, item: () => T): T[] {
    const items: T[] = [];
    this.#at += 1;
    if (this.#text[this.#at] !== close) {
      items.push(item());
      while (this.#text[this.#at] === ',') {
        this.#at += 1;
        items.push(item());
      }
    }
    if (this.#text[this.#at] !== close) throw this.#unexpected();
    this.#at += 1;
    return items;
  }

  #string(): string {
    return JSON.parse(this.#token(STRING)) as string;
  }

  #token(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) throw this.#unexpected();
    this.#at = pattern.lastIndex;
    return match[0];
  }

  #unexpected(): InvalidKeyError {
    return new InvalidKeyError(`The record key is not JSON at character ${this.#at}: ${this.#text.slice(0, 200)}`);
  }
}

/** @throws InvalidKeyError */
export function parseKey(key: string): KeyNode {
  return new KeyReader(key).whole();
}
