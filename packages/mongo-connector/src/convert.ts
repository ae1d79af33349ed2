// From a configuration of mongo-connector to one of Tailwater: pure, but for the one question whether a file is there.
import {
  actualOf,
  type ConfigOption,
  configOptions,
  errorCodes,
  expectedOf,
  keyOf,
  parseTyped,
  TARGET_PATH,
  TailwaterError,
} from '@tailwater/runtime';
import { convertDocManagers } from './doc-managers.js';
import { convertLogging } from './logging.js';
import { convertNamespaces } from './namespaces.js';
import { type Notice, Notices } from './notices.js';
import { type JsonObject, Reader } from './reader.js';
import { convertSource } from './source.js';
import { convertStart } from './start.js';
import type { Tree } from './tree.js';

export interface Conversion {
  /** The configuration, as a file of Tailwater holds it: for the producer and for one consumer per doc manager. */
  readonly tree: Tree;
  /** What became of the keys that are not simply called something else. */
  readonly notices: readonly Notice[];
}

export interface ConversionInput {
  /** Without what is disabled: see `readMongoConnector`. */
  readonly config: JsonObject;
  /** How messages call it. */
  readonly file: string;
  /** Whether there is a file of this name that is not empty. */
  readonly exists: (file: string) => boolean;
}

/**
 * Kafka's brokers are not in it: mongo-connector knew none.
 *
 * @throws TailwaterError TW1060 for a wrong value, TW1061 for what mongo-connector would have refused, TW1062 for an unknown doc
 *   manager, TW1069 for an address that names no server, TW1010 for a bad namespace, TW1083 for a bad syslog address
 */
export function convertMongoConnector({ config, file, exists }: ConversionInput): Conversion {
  const reader = new Reader(config, file);
  const tree: Tree = new Map();
  const notices = new Notices();
  convertSource(reader, tree, notices);
  convertNamespaces(reader, file, tree, notices);
  convertStart(reader, tree, notices, exists);
  const targets = convertDocManagers(reader, file, tree, notices);
  const consumers = targets.map((name) => ({ path: `targets.${name}`, name }));
  convertLogging(reader, tree, notices, [{ path: 'producer', name: 'producer' }, ...consumers]);
  notices.ignored(reader.unread);
  checkLeaves(tree, file);
  return { tree, notices: notices.all };
}

const LEAVES: ReadonlyMap<string | undefined, ConfigOption> = new Map(
  Object.values(configOptions).map((configOption) => [keyOf(configOption.flag), configOption]),
);

/** The leaf of a key of the tree, which may stand in a target or in `producer:` for one process alone. */
export const configOptionOf = (key: string): ConfigOption | undefined =>
  LEAVES.get(key.replace(/^targets\.[^.]+/, TARGET_PATH).replace(/^(?:producer|targets\.<name>)\.(?=logging\.)/, ''));

/** A value under a key that is not read would be lost without a word, and one that no file may hold would make an invalid file. */
function checkLeaves(tree: Tree, file: string): void {
  for (const [key, { value, from }] of tree) {
    const configOption = configOptionOf(key);
    if (configOption === undefined)
      throw new TailwaterError(errorCodes.MONGO_CONNECTOR_CONTRADICTION, { file, reason: `${from} has no counterpart in this version` });
    if (!('value' in parseTyped(configOption, value)))
      throw new TailwaterError(errorCodes.MONGO_CONNECTOR_WRONG_VALUE, {
        file,
        key: from,
        expected: expectedOf(configOption),
        actual: actualOf(configOption, value),
      });
  }
}
