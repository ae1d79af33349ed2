// Where a text stops being JSON, and why, in words: JSON.parse says it by an offset in some versions of Node, and in some cases not at all.
// https://www.rfc-editor.org/rfc/rfc8259

export interface JsonMistake {
  /** In UTF-16 units. */
  readonly offset: number;
  readonly reason: string;
}

/** The first mistake of a text; undefined for what JSON.parse takes. */
export function findJsonMistake(text: string): JsonMistake | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    const scanner = new Scanner(text);
    return scanner.run() ?? { offset: 0, reason: 'it is no JSON' };
  }
}

const BLANKS = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /[\p{L}_$][\p{L}\p{N}_$]*/uy;
const LITERALS = new Set(['true', 'false', 'null']);
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
/** What a text in quotes holds as it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON refuses
const PLAIN = /[^"\\\u0000-\u001f]+/y;

/** Open brackets with where they are; no recursion, which a text of brackets would exhaust. */
class Scanner {
  readonly #text: string;
  readonly #open: { readonly close: '}' | ']'; readonly offset: number }[] = [];
  #at = 0;
  /** What may come next. */
  #next: 'value' | 'name' | 'name or end' | 'value or end' | 'comma or end' = 'value';

  constructor(text: string) {
    this.#text = text;
  }

  run(): JsonMistake | undefined {
    for (;;) {
      this.#skip(BLANKS);
      const mistake = this.#ofEnd() ?? this.#step();
      if (mistake !== undefined) return mistake;
      if (this.#isDone) {
        this.#skip(BLANKS);
        return this.#at < this.#text.length ? this.#mistake(comment(this.#rest) ?? 'there is more behind the end') : undefined;
      }
    }
  }

  get #rest(): string {
    return this.#text.slice(this.#at, this.#at + 2);
  }

  get #isDone(): boolean {
    return this.#open.length === 0 && this.#next === 'comma or end';
  }

  #ofEnd(): JsonMistake | undefined {
    if (this.#at < this.#text.length) return undefined;
    const last = this.#open.at(-1);
    if (last === undefined) return this.#mistake('there is nothing');
    return this.#mistake(
      `the file ends before the ${last.close} that belongs to the ${last.close === '}' ? '{' : '['} of ${this.#lineOf(last.offset)}`,
    );
  }

  #lineOf(offset: number): string {
    return `line ${this.#text.slice(0, offset).split('\n').length}`;
  }

  #step(): JsonMistake | undefined {
    const character = this.#text[this.#at];
    const remark = comment(this.#rest);
    if (remark !== undefined) return this.#mistake(remark);
    if (this.#next === 'comma or end') return this.#afterValue(character);
    const closes = character === '}' || character === ']';
    if (closes && this.#next.endsWith('or end')) return this.#close(character);
    if (closes)
      return this.#mistake(
        this.#afterComma() ? `a comma before the ${character}: JSON has none behind the last one` : 'a value is missing',
      );
    if (character === ',') return this.#mistake('a comma with nothing before it');
    return this.#next.startsWith('name') ? this.#name() : this.#value(character);
  }

  #afterComma(): boolean {
    return this.#text.slice(0, this.#at).trimEnd().endsWith(',');
  }

  #afterValue(character: string | undefined): JsonMistake | undefined {
    const close = this.#open.at(-1)?.close;
    if (character === ',') {
      this.#at += 1;
      this.#next = close === '}' ? 'name' : 'value';
      return undefined;
    }
    if (character === '}' || character === ']') return this.#close(character);
    return this.#mistake(`a comma or ${close} is missing before this`);
  }

  #close(character: '}' | ']'): JsonMistake | undefined {
    const last = this.#open.at(-1);
    if (last?.close !== character) return this.#mistake(`a ${character} where ${last?.close} belongs`);
    this.#open.pop();
    this.#at += 1;
    this.#next = 'comma or end';
    return undefined;
  }

  #name(): JsonMistake | undefined {
    if (this.#text[this.#at] !== '"') return this.#mistake(this.#unquoted('a key'));
    const mistake = this.#quoted();
    if (mistake !== undefined) return mistake;
    this.#skip(BLANKS);
    if (this.#text[this.#at] !== ':') return this.#mistake('a : is missing behind the key');
    this.#at += 1;
    this.#next = 'value';
    return undefined;
  }

  #value(character: string | undefined): JsonMistake | undefined {
    if (character === '{' || character === '[') {
      this.#open.push({ close: character === '{' ? '}' : ']', offset: this.#at });
      this.#at += 1;
      this.#next = character === '{' ? 'name or end' : 'value or end';
      return undefined;
    }
    if (character === '"') {
      const mistake = this.#quoted();
      if (mistake !== undefined) return mistake;
    } else if (!this.#skip(NUMBER)) {
      const start = this.#at;
      const isLiteral = this.#skip(WORD) && LITERALS.has(this.#text.slice(start, this.#at));
      if (!isLiteral) {
        this.#at = start;
        return this.#mistake(this.#unquoted('a value'));
      }
    }
    this.#next = 'comma or end';
    return undefined;
  }

  #unquoted(what: string): string {
    return this.#text[this.#at] === "'" ? `${what} in single quotes: JSON knows only "` : `${what} must be in double quotes here`;
  }

  #quoted(): JsonMistake | undefined {
    const start = this.#at;
    this.#at += 1;
    while (this.#skip(PLAIN) || this.#skip(ESCAPE));
    const character = this.#text[this.#at];
    if (character === '"') {
      this.#at += 1;
      return undefined;
    }
    if (character === '\\') return this.#mistake('a \\ that begins no escape; a \\ itself is written \\\\');
    if (character !== undefined && character !== '\n' && character !== '\r')
      return this.#mistake('a control character in a text; a tab is written \\t');
    this.#at = start;
    return this.#mistake('a text whose closing quote is not in the same line');
  }

  /** Whether there was something to skip. */
  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const length = pattern.exec(this.#text)?.[0].length ?? 0;
    this.#at += length;
    return length > 0;
  }

  #mistake(reason: string): JsonMistake {
    return { offset: this.#at, reason };
  }
}

const comment = (text: string): string | undefined =>
  text.startsWith('#') || text === '//' || text === '/*' ? 'a comment: JSON has none. A key that begins with __ is disabled' : undefined;
