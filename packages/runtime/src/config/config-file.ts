// The configuration file: YAML or JSON, one for both processes. Each of them checks all of it, so that a mistake is found by
// whichever starts first; what stands for a secret or a variable is looked up only by the process that uses the value.

import { isAlias, isCollection, isMap, isNode, isScalar, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { errorCodes } from '../errors/catalogue.js';
import { describeReadFailure, readText } from '../errors/describe-read-failure.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { ConfigOption } from './option.js';
import { actualOf, expectedOf, parseTyped } from './option-value.js';
import { throwProblems } from './problems.js';
import { hasReference } from './references.js';
import { isConfigOption, type Section, sections, targetSections } from './schema/configuration.js';
import { expectedTargetName, isModulePath, isTargetName } from './schema/targets.js';
import { suggestKey } from './suggest-key.js';

/** A value of the file. */
export interface FileEntry {
  /** `targets.search.url` */
  readonly key: string;
  /** `tailwater.yaml:3:8` */
  readonly place: string;
  /** As it is written; of the leaf's type, unless it has a reference. */
  readonly written: unknown;
}

export interface ConfigFile {
  readonly file: string;
  /** By key. */
  readonly entries: ReadonlyMap<string, FileEntry>;
  /** The names of the targets. */
  readonly targets: readonly string[];
}

type FilePair = Pair<Node, Node | null>;

/**
 * Reads and checks a file.
 *
 * @throws TailwaterError TW1003 unreadable, TW1004 malformed, TW1001 an unknown key, TW1002 a wrong value, TW1022 a key that occurs
 * twice; each with its place, and TW1019 for several
 */
export function readConfigFile(file: string): ConfigFile {
  return parseConfigFile(readConfigText(file), file);
}

/** @throws TailwaterError TW1003 when it cannot be read, or is no text */
export function readConfigText(file: string): string {
  try {
    return readText(file);
  } catch (error) {
    throw new TailwaterError(errorCodes.CONFIGURATION_FILE_UNREADABLE, { file, reason: describeReadFailure(error) });
  }
}

/** As {@link readConfigFile}, for a text that is already there. */
export function parseConfigFile(text: string, file: string): ConfigFile {
  return new Parser(text, file).parse();
}

class Parser {
  readonly #file: string;
  readonly #lines = new LineCounter();
  readonly #document: ReturnType<typeof parseDocument>;
  readonly #problems: TailwaterError[] = [];
  readonly #entries = new Map<string, FileEntry>();
  readonly #targets: string[] = [];

  constructor(text: string, file: string) {
    this.#file = file;
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false });
  }

  parse(): ConfigFile {
    const [error] = this.#document.errors;
    if (error !== undefined)
      throw this.#malformed(error.pos[0], error.code === 'MULTIPLE_DOCS' ? 'a line --- begins a second document' : error.message);
    const top = this.#document.contents;
    if (top !== null && !isEmpty(top)) {
      if (!isMap(top)) throw this.#malformed(top.range?.[0] ?? 0, 'the file must be a mapping of sections: source, kafka, targets, …');
      this.#top(top);
    }
    throwProblems(this.#problems);
    return { file: this.#file, entries: this.#entries, targets: this.#targets };
  }

  #top(map: YAMLMap): void {
    const known = [...Object.keys(sections), 'targets'];
    for (const [name, pair] of this.#pairs(map, '')) {
      // Where an editor looks for the JSON Schema of a JSON file.
      if (name === '$schema') continue;
      if (name === 'targets') this.#each(pair, name, 'a mapping of targets by their names', (targets) => this.#targetsOf(targets));
      else if (Object.hasOwn(sections, name)) this.#node(sections[name as keyof typeof sections], name, pair);
      else this.#unknown(pair, name, suggestKey(name, known));
    }
  }

  #section(map: YAMLMap, section: Section, path: string): void {
    for (const [name, pair] of this.#pairs(map, path)) {
      const key = `${path}.${name}`;
      const node = Object.hasOwn(section, name) ? section[name] : undefined;
      if (node === undefined) this.#unknown(pair, key, suggestKey(name, Object.keys(section), path));
      else this.#node(node, key, pair);
    }
  }

  #node(node: ConfigOption | Section, key: string, pair: FilePair): void {
    if (isConfigOption(node)) this.#configOption(node, key, pair);
    else this.#each(pair, key, `a mapping with keys such as ${Object.keys(node)[0]}`, (map) => this.#section(map, node, key));
  }

  #targetsOf(map: YAMLMap): void {
    for (const [name, pair] of this.#pairs(map, 'targets')) {
      const key = `targets.${name}`;
      if (!isTargetName(name)) {
        this.#wrong(pair.key, 'the name of a target', expectedTargetName, JSON.stringify(name));
        continue;
      }
      this.#targets.push(name);
      const { value } = this.#resolved(pair);
      if (value === null || isEmpty(value)) this.#wrong(pair.key, key, 'a mapping with the keys type and url', 'nothing');
      this.#each(pair, key, 'a mapping with the keys type and url', (target) =>
        this.#section(target, this.#keysOf(target, key, pair), key),
      );
    }
  }

  /** The keys that a target has by its type; those of all types when that is not known. */
  #keysOf(target: YAMLMap, key: string, pair: FilePair): Section {
    const all = Object.assign({}, ...Object.values(targetSections)) as Section;
    const written = target.has('type') ? this.#plain(target.get('type', true) as Node) : undefined;
    if (hasReference(written)) return all;
    if (typeof written === 'string' && Object.hasOwn(targetSections, written) && written !== 'module')
      return targetSections[written as keyof typeof targetSections];
    if (typeof written === 'string' && isModulePath(written)) return targetSections.module;
    // A value that is no text is found with the other leaves.
    if (written === undefined || typeof written === 'string') {
      const node = (target.get('type', true) as Node | undefined) ?? pair.key;
      this.#wrong(node, `${key}.type`, 'es, solr, mongo or the path of a module', actualOf(undefined, written));
    }
    return all;
  }

  #configOption(configOption: ConfigOption, key: string, { key: keyNode, value: node }: FilePair): void {
    if (isMap(node)) for (const _ of this.#pairs(node, key));
    const written = node === null ? null : this.#plain(node);
    this.#entries.set(key, { key, place: this.#place(node ?? keyNode), written });
    if (hasReference(written)) return;
    const parsed = parseTyped(configOption, written);
    if ('value' in parsed) return;
    // Inside a list or a mapping the error is where the wrong member stands.
    const member: unknown = parsed.wrongAt.length > 0 && isCollection(node) ? node.getIn(parsed.wrongAt, true) : undefined;
    const wrong = isNode(member) ? member : undefined;
    this.#wrong(
      wrong ?? node ?? keyNode,
      key,
      expectedOf(configOption),
      actualOf(configOption, wrong === undefined ? written : this.#plain(wrong)),
    );
  }

  /** Hands the value to `use` if it is a mapping. */
  #each(pair: FilePair, key: string, expected: string, use: (map: YAMLMap) => void): void {
    const { value } = this.#resolved(pair);
    if (value === null || isEmpty(value)) return;
    if (isMap(value)) use(value);
    else this.#wrong(value, key, expected, actualOf(undefined, this.#plain(value)));
  }

  /** The pairs of a mapping by their names; one whose name occurred before is a problem. */
  *#pairs(map: YAMLMap, path: string): Generator<readonly [name: string, pair: FilePair]> {
    const seen = new Map<string, Node>();
    for (const pair of map.items as FilePair[]) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      const before = seen.get(name);
      if (before === undefined) {
        seen.set(name, pair.key);
        yield [name, pair];
        continue;
      }
      const key = path === '' ? name : `${path}.${name}`;
      this.#problems.push(
        new TailwaterError(errorCodes.DUPLICATE_CONFIGURATION_KEY, { place: this.#place(pair.key), key, first: this.#place(before) }),
      );
    }
  }

  #resolved({ key, value }: FilePair): { readonly value: Node | null } {
    if (!isAlias(value)) return { value };
    const resolved = value.resolve(this.#document);
    if (resolved === undefined)
      throw this.#malformed(
        (value.range ?? key.range)?.[0] ?? 0,
        'an alias (*name) to an anchor that nothing has; a text that begins with * is written in quotes',
      );
    return { value: resolved };
  }

  /** The node's value without YAML: aliases resolved. */
  #plain(node: Node): unknown {
    try {
      const value: unknown = node.toJS(this.#document);
      if (isCircular(value)) throw new ReferenceError('circular');
      return value;
    } catch (error) {
      // An alias without an anchor, or so many that they would fill the memory. The parser's words name the alias, which may be a secret
      // that is not in quotes.
      const reason = error instanceof ReferenceError ? 'an alias (*name) that cannot be resolved' : String(error);
      throw this.#malformed(node.range?.[0] ?? 0, reason);
    }
  }

  #wrong(node: Node, key: string, expected: string, actual: string): void {
    this.#problems.push(new TailwaterError(errorCodes.WRONG_CONFIGURATION_VALUE, { place: this.#place(node), key, expected, actual }));
  }

  #unknown({ key: node }: FilePair, key: string, suggestion: string): void {
    this.#problems.push(new TailwaterError(errorCodes.UNKNOWN_CONFIGURATION_KEY, { place: this.#place(node), key, suggestion }));
  }

  #malformed(offset: number, reason: string): TailwaterError {
    return new TailwaterError(errorCodes.CONFIGURATION_FILE_MALFORMED, { place: this.#placeAt(offset), reason });
  }

  #place(node: Node): string {
    return this.#placeAt(node.range?.[0] ?? 0);
  }

  #placeAt(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  }
}

/** An alias may be a part of what it names. */
function isCircular(value: unknown): boolean {
  if (typeof value !== 'object') return false;
  try {
    JSON.stringify(value);
    return false;
  } catch {
    return true;
  }
}

const isEmpty = (node: Node): boolean => isScalar(node) && node.value === null;
