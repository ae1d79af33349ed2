// Lists of any length on the way to a terminal or a pipe: element by element, no faster than they are read there.
import { once } from 'node:events';
import { renderTable } from '@tailwater/runtime';

type Output = NodeJS.WritableStream;

async function write(output: Output, text: string): Promise<void> {
  if (!output.write(text)) await once(output, 'drain');
}

/** Writes an object whose last property is a list, as `JSON.stringify` with an indent of 2 does. */
export class JsonList {
  readonly #output: Output;
  readonly #head: string;
  #begun = false;

  /** @param head the properties before the list */
  constructor(output: Output, head: Readonly<Record<string, unknown>>, name: string) {
    this.#output = output;
    const before = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
    this.#head = `{\n${before.join('')}  ${JSON.stringify(name)}: [`;
  }

  async add(element: unknown): Promise<void> {
    const lines = JSON.stringify(element, null, 2).split('\n');
    await write(this.#output, `${this.#begun ? ',' : this.#head}\n${lines.map((line) => `    ${line}`).join('\n')}`);
    this.#begun = true;
  }

  async end(): Promise<void> {
    await write(this.#output, this.#begun ? '\n  ]\n}\n' : `${this.#head}]\n}\n`);
  }
}

/** A table is as wide as its widest row, and laying one out takes time with the square of its rows: a long one comes in several. */
const ROWS = 100;

export class TablePages {
  readonly #output: Output;
  readonly #head: readonly string[];
  #rows: string[][] = [];

  constructor(output: Output, head: readonly string[]) {
    this.#output = output;
    this.#head = head;
  }

  async add(row: string[]): Promise<void> {
    this.#rows.push(row);
    if (this.#rows.length >= ROWS) await this.end();
  }

  async end(): Promise<void> {
    if (this.#rows.length > 0) await write(this.#output, `${renderTable(this.#head, this.#rows)}\n`);
    this.#rows = [];
  }
}
