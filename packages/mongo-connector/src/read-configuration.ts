// The configuration of one start: a file of Tailwater, or what mongo-connector’s users have, its file and its command line.
import {
  type ConfigFile,
  type Configuration,
  errorCodes,
  escapeReferences,
  type FileEntry,
  parseConfigFile,
  readConfigText,
  TailwaterError,
} from '@tailwater/runtime';
import { commandLineNotices, type MongoConnectorFlag, mergeCommandLine, shortName } from './command-line.js';
import { type Conversion, convertMongoConnector } from './convert.js';
import { jsonMistakeOf, readMongoConnector } from './document.js';
import { isFilledFile } from './filled-file.js';
import { summarize } from './notices.js';
import type { JsonObject } from './reader.js';
import type { TreeEntry } from './tree.js';

/** A {@link Configuration}, with what it was made of when it was mongo-connector’s. */
export interface ConvertedConfiguration extends Configuration {
  readonly conversion?: Conversion;
}

/**
 * @param path - the file, if there is one
 * @param flags - options of mongo-connector
 * @throws TailwaterError TW1003 unreadable, TW1015 for both kinds at once, and what reading the file or converting it throws
 */
export function readConfiguration(path: string | undefined, flags: readonly MongoConnectorFlag[]): ConvertedConfiguration {
  const text = path === undefined ? undefined : readConfigText(path);
  const config = text === undefined ? undefined : readMongoConnector(text);
  const [first] = flags;
  if (config === undefined && text !== undefined && path !== undefined) {
    if (first === undefined) return { file: parseOwn(text, path) };
    const mistake = jsonMistakeOf(text, path);
    if (mistake !== undefined) throw mistake;
    const reason = 'options of mongo-connector go with its own configuration only; --help lists those of this command';
    throw new TailwaterError(errorCodes.OPTIONS_EXCLUDE_EACH_OTHER, { first: shortName(first.option), second: `--config ${path}`, reason });
  }
  if (config === undefined && first === undefined) return { file: undefined };
  return convert(config ?? {}, flags, path ?? 'the command line');
}

/** YAML takes more than JSON, such as a comma behind the last value; only what it does not make a configuration of is looked at as JSON. */
function parseOwn(text: string, path: string): ConfigFile {
  try {
    return parseConfigFile(text, path);
  } catch (error) {
    throw (error instanceof TailwaterError ? jsonMistakeOf(text, path) : undefined) ?? error;
  }
}

function convert(config: JsonObject, flags: readonly MongoConnectorFlag[], name: string): ConvertedConfiguration {
  const conversionOf = (each: JsonObject) => convertMongoConnector({ config: each, file: name, exists: isFilledFile });
  const conversion = conversionOf(mergeCommandLine(config, flags));
  const file = toFile(conversion.tree, conversion, name);
  const tell: Configuration['tell'] = (process) => summarize([...conversion.notices, ...commandLineNotices(flags, process)], process);
  if (flags.length === 0) return { file, conversion, tell };
  const before = treeOf(() => conversionOf(config));
  const added = [...conversion.tree].filter(([key, { value }]) => JSON.stringify(before.get(key)?.value) !== JSON.stringify(value));
  return { file, commandLine: toFile(added, conversion, name), conversion, tell };
}

/** What the command line completes, such as a user without a password, is no configuration by itself. */
function treeOf(conversion: () => Conversion): Conversion['tree'] {
  try {
    return conversion().tree;
  } catch (error) {
    if (error instanceof TailwaterError) return new Map();
    throw error;
  }
}

function toFile(added: Iterable<readonly [string, TreeEntry]>, { tree }: Conversion, name: string): ConfigFile {
  const entries = Array.from(added, ([key, { value, from }]): [string, FileEntry] => [
    key,
    { key, place: `${name} (${from})`, written: escapeReferences(value) },
  ]);
  const targets = new Set([...tree.keys()].filter((key) => key.startsWith('targets.')).map((key) => key.split('.')[1] ?? key));
  return { file: name, entries: new Map(entries), targets: [...targets] };
}
