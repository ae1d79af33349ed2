// The configuration file: YAML or JSON, one for both processes. Keys at the top are common to both or belong to the process
// that reads it; the sections `producer:` and `consumer:` hold what only one of them needs, and beat the top.
import { readFileSync } from 'node:fs';
import { isCollection, isMap, isNode, isScalar, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { TailwaterError } from '../errors/tailwater-error.js';
import { suggest } from './nearest.js';
import type { OptionSpec, OptionSpecs } from './option-spec.js';
import { actualOf, expectedOf, parseTyped } from './option-value.js';

const SECTIONS: readonly string[] = ['producer', 'consumer'];

/** Keys that one process may have no use for, but that a file for both holds at its top. */
const COMMON_KEYS: ReadonlySet<string> = new Set(['mongo', 'kafka', 'prefix', 'include', 'exclude', 'rename', 'logLevel', 'logFormat']);

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
};

/** Values by option name, each of the type that its option takes. */
export type FileValues = ReadonlyMap<string, unknown>;

export interface FileContext {
  /** The section that is read: `producer` or `consumer`. The other one is left to the other process. */
  readonly section: string;
  /** Every option of every command of the process: a file serves them all. */
  readonly specs: OptionSpecs;
}

/**
 * Reads and checks a file.
 *
 * @throws TailwaterError TW1003 unreadable, TW1004 malformed, TW1001 an unknown key, TW1002 a wrong value; each with its place
 */
export function readConfigFile(file: string, context: FileContext): FileValues {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
  return parseConfigFile(text, file, context);
}

function unreadable(file: string, error: unknown): TailwaterError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return new TailwaterError('TW1003', { file, reason: UNREADABLE[code] ?? message });
}

/** As {@link readConfigFile}, for a text that is already there. */
export function parseConfigFile(text: string, file: string, context: FileContext): FileValues {
  return new ConfigFile(text, file, context).values();
}

class ConfigFile {
  readonly #file: string;
  readonly #context: FileContext;
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;

  constructor(text: string, file: string, context: FileContext) {
    this.#file = file;
    this.#context = context;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false });
  }

  values(): FileValues {
    const [error] = this.#document.errors;
    if (error !== undefined) throw this.#malformed(error.pos[0], error.message);
    const top = this.#document.contents;
    const values = new Map<string, unknown>();
    if (top === null || (isScalar(top) && top.value === null)) return values;
    if (!isMap(top)) throw this.#malformed(top.range?.[0] ?? 0, 'the file must be a mapping of option names to values');
    const sections = new Set([...SECTIONS, this.#context.section]);
    const own = this.#collect(top, values, '', (name) => sections.has(name));
    // The section comes second, so that it beats the top wherever it stands in the file.
    if (own !== undefined) this.#collect(own, values, `${this.#context.section}.`, () => false);
    return values;
  }

  /** Puts the values of a mapping into `values`; returns this process's own section if there is one. */
  #collect(map: YAMLMap, values: Map<string, unknown>, path: string, isSection: (name: string) => boolean): YAMLMap | undefined {
    let own: YAMLMap | undefined;
    for (const pair of map.items as Pair<Node, Node | null>[]) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      if (isSection(name)) {
        const section = this.#section(name, pair);
        if (name === this.#context.section) own = section;
        continue;
      }
      const spec = this.#specOf(name);
      if (spec !== undefined) values.set(name, this.#value(`${path}${name}`, spec, pair));
      else if (path !== '' || !COMMON_KEYS.has(name)) throw this.#unknown(name, path, pair);
    }
    return own;
  }

  #section(name: string, { key, value }: Pair<Node, Node | null>): YAMLMap | undefined {
    if (value === null || (isScalar(value) && value.value === null)) return undefined;
    if (isMap(value)) return value;
    throw this.#wrong(value ?? key, name, 'a mapping of option names to values', actualOf(undefined, this.#plain(value)));
  }

  #value(key: string, spec: OptionSpec, { key: keyNode, value: node }: Pair<Node, Node | null>): unknown {
    const given = node === null ? null : this.#plain(node);
    const parsed = parseTyped(spec, given);
    if ('value' in parsed) return parsed.value;
    // Inside a list or a mapping the error is where the wrong member stands.
    const member: unknown = parsed.wrongAt.length > 0 && isCollection(node) ? node.getIn(parsed.wrongAt, true) : undefined;
    const wrong = isNode(member) ? member : undefined;
    throw this.#wrong(wrong ?? node ?? keyNode, key, expectedOf(spec), actualOf(spec, wrong === undefined ? given : this.#plain(wrong)));
  }

  /** The node's value without YAML: aliases resolved. */
  #plain(node: Node): unknown {
    try {
      return node.toJS(this.#document);
    } catch (error) {
      // An alias without an anchor, or so many that they would fill the memory.
      throw this.#malformed(node.range?.[0] ?? 0, error instanceof Error ? error.message : String(error));
    }
  }

  #wrong(node: Node, key: string, expected: string, actual: string): TailwaterError {
    return new TailwaterError('TW1002', { ...this.#place(node), key, expected, actual });
  }

  #unknown(name: string, path: string, { key }: Pair<Node, Node | null>): TailwaterError {
    const known = [...Object.keys(this.#context.specs).filter((other) => other !== 'config'), ...(path === '' ? SECTIONS : [])];
    return new TailwaterError('TW1001', { ...this.#place(key), key: `${path}${name}`, suggestion: suggest(name, known) });
  }

  #specOf(name: string): OptionSpec | undefined {
    // A file cannot name another file.
    return name !== 'config' && Object.hasOwn(this.#context.specs, name) ? this.#context.specs[name] : undefined;
  }

  #malformed(offset: number, reason: string): TailwaterError {
    return new TailwaterError('TW1004', { ...this.#placeAt(offset), reason });
  }

  #place(node: Node): { file: string; line: number; column: number } {
    return this.#placeAt(node.range?.[0] ?? 0);
  }

  #placeAt(offset: number): { file: string; line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }
}
