// mongo-connector's command line: each option stands for a key of its configuration file, and beats it.

import { errorCodes, type ForeignFlag, type ForeignOption, TailwaterError } from '@tailwater/runtime';
import type { Notice } from './notices.js';
import { isObject, type JsonObject } from './reader.js';

export interface MongoConnectorOption extends ForeignOption {
  /** What it sets: `logging.filename`, or of the first doc manager `docManagers.targetURL`. */
  readonly key: string;
  /** What a flag sets it to. Default true. */
  readonly value?: unknown;
  /** The process that it means something to; both when not given. */
  readonly process?: 'producer' | 'consumer';
}

const PRODUCER = 'producer';
const CONSUMER = 'consumer';

/** `--config-file` and `-c` are not among them: they are `--config`. Nor are those that Tailwater has by the same name and with the same meaning. */
const OPTIONS: readonly Omit<MongoConnectorOption, 'isOfTarget'>[] = [
  { names: ['main', 'm'], takes: 'text', key: 'mainAddress', process: PRODUCER },
  { names: ['oplog-ts', 'o'], takes: 'text', key: 'oplogFile', process: PRODUCER },
  { names: ['no-dump'], takes: 'flag', key: 'noDump', process: PRODUCER },
  { names: ['only-dump'], takes: 'flag', key: 'onlyDump', process: PRODUCER },
  { names: ['batch-size'], takes: 'integer', key: 'batchSize', process: PRODUCER },
  { names: ['continue-on-error'], takes: 'flag', key: 'continueOnError', process: CONSUMER },
  { names: ['tz-aware'], takes: 'flag', key: 'timezoneAware', process: CONSUMER },
  { names: ['verbose', 'v'], takes: 'flag', key: 'verbosity', value: 3 },
  { names: ['logfile', 'w'], takes: 'text', key: 'logging.filename' },
  { names: ['enable-syslog', 's'], takes: 'flag', key: 'logging.type', value: 'syslog' },
  { names: ['stdout'], takes: 'flag', key: 'logging.type', value: 'stream' },
  { names: ['syslog-host'], takes: 'text', key: 'logging.host' },
  { names: ['syslog-facility'], takes: 'text', key: 'logging.facility' },
  { names: ['logfile-when'], takes: 'text', key: 'logging.rotationWhen' },
  { names: ['logfile-interval'], takes: 'integer', key: 'logging.rotationInterval' },
  { names: ['logfile-backups'], takes: 'integer', key: 'logging.rotationBackups' },
  { names: ['admin-username', 'a'], takes: 'text', key: 'authentication.adminUsername', process: PRODUCER },
  { names: ['password', 'p'], takes: 'text', key: 'authentication.password', process: PRODUCER },
  { names: ['password-file', 'f'], takes: 'text', key: 'authentication.passwordFile', process: PRODUCER },
  { names: ['ssl-certfile'], takes: 'text', key: 'ssl.sslCertfile', process: PRODUCER },
  { names: ['ssl-keyfile'], takes: 'text', key: 'ssl.sslKeyfile', process: PRODUCER },
  { names: ['ssl-ca-certs'], takes: 'text', key: 'ssl.sslCACerts', process: PRODUCER },
  { names: ['ssl-certificate-policy'], takes: 'text', key: 'ssl.sslCertificatePolicy', process: PRODUCER },
  { names: ['fields', 'i'], takes: 'list', key: 'fields', process: CONSUMER },
  { names: ['exclude_fields', 'e'], takes: 'list', key: 'exclude_fields', process: CONSUMER },
  { names: ['namespace-set', 'n'], takes: 'list', key: 'namespaces.include' },
  { names: ['exclude-namespace-set', 'x'], takes: 'list', key: 'namespaces.exclude' },
  { names: ['dest-namespace-set', 'g'], takes: 'list', key: 'namespaces.mapping' },
  { names: ['gridfs-set'], takes: 'list', key: 'namespaces.gridfs' },
  { names: ['doc-manager', 'd'], takes: 'text', key: 'docManagers.docManager', process: CONSUMER },
  { names: ['target-url', 't'], takes: 'text', key: 'docManagers.targetURL', process: CONSUMER },
  { names: ['unique-key', 'u'], takes: 'text', key: 'docManagers.uniqueKey', process: CONSUMER },
  { names: ['auto-commit-interval'], takes: 'integer', key: 'docManagers.autoCommitInterval', process: CONSUMER },
];

export const FOREIGN_OPTIONS: readonly MongoConnectorOption[] = OPTIONS.map((option) => ({
  ...option,
  isOfTarget: option.key.startsWith('docManagers.'),
}));

export type MongoConnectorFlag = ForeignFlag<MongoConnectorOption>;

/** Flags whose values are secrets. */
export const FOREIGN_SECRET_FLAGS: readonly string[] = ['-p', '--password'];

/** What there is to say of options as such. */
export function commandLineNotices(flags: readonly MongoConnectorFlag[], process: 'producer' | 'consumer'): Notice[] {
  return flags.flatMap(({ option }): Notice[] => {
    const key = shortName(option);
    if (option.process !== undefined && option.process !== process)
      return [{ key, fate: 'refused', text: `it is for ${option.process} start` }];
    if (option.key !== 'authentication.password') return [];
    return [
      { key, fate: 'note', text: 'everyone on this machine can see it in the list of processes; -f or TAILWATER_MONGO_PASSWORD hides it' },
    ];
  });
}

/** `-m`, or `--no-dump` for an option without a letter. */
export const shortName = ({ names: [long, short] }: MongoConnectorOption): string => (short === undefined ? `--${long}` : `-${short}`);

/** The logging destinations that exclude each other. */
const DESTINATIONS: ReadonlySet<string> = new Set(['logfile', 'enable-syslog', 'stdout']);

/**
 * The configuration with the command line in it.
 *
 * @param config - that of the file, or an empty one
 * @throws TailwaterError TW1006 for a value that is no number, TW1061 for what contradicts itself
 */
export function mergeCommandLine(config: JsonObject, flags: readonly MongoConnectorFlag[]): JsonObject {
  const destinations = flags.filter(({ option }) => DESTINATIONS.has(option.names[0]));
  if (destinations.length > 1) throw contradiction(`${namesOf(destinations)} are destinations of the log, and one is possible`);
  const merged: Record<string, unknown> = { ...config };
  // -g pairs with -n, so it comes last.
  const ordered = [...flags].sort((one, other) => Number(isMapping(one)) - Number(isMapping(other)));
  for (const flag of ordered) set(merged, flag);
  return merged;
}

const isMapping = ({ option }: MongoConnectorFlag): boolean => option.key === 'namespaces.mapping';
const namesOf = (flags: readonly MongoConnectorFlag[]): string => flags.map(({ option }) => shortName(option)).join(' and ');

function set(merged: Record<string, unknown>, { option, value }: MongoConnectorFlag): void {
  const [part = '', name] = option.key.split('.');
  const given = typed(option, value);
  if (name === undefined) merged[part] = given;
  else if (part === 'docManagers') {
    const [first, ...rest] = Array.isArray(merged[part]) ? (merged[part] as unknown[]) : [];
    merged[part] = [{ ...(isObject(first) ? first : {}), [name]: given }, ...rest];
  } else {
    const before = isObject(merged[part]) ? merged[part] : {};
    merged[part] = { ...before, [name]: name === 'mapping' ? pairs(before['include'], given as string[]) : given };
    if (option.names[0] === 'logfile') merged[part] = { ...(merged[part] as JsonObject), type: 'file' };
  }
}

function typed(option: MongoConnectorOption, value: string | true): unknown {
  switch (option.takes) {
    case 'flag':
      return option.value ?? true;
    case 'list':
      return String(value).split(',');
    case 'integer':
      if (/^-?\d+$/.test(String(value))) return Number(value);
      throw new TailwaterError(errorCodes.WRONG_FLAG_VALUE, {
        flag: shortName(option),
        expected: 'a whole number',
        actual: JSON.stringify(value),
      });
    case 'text':
      return value;
  }
}

function pairs(include: unknown, targets: readonly string[]): Record<string, string> {
  const sources = Array.isArray(include) ? include.map(String) : [];
  if (sources.length !== targets.length)
    throw contradiction(`-n names ${sources.length} namespaces and -g ${targets.length}: one for each is needed`);
  return Object.fromEntries(sources.map((source, index) => [source, targets[index] ?? source]));
}

const contradiction = (reason: string): TailwaterError =>
  new TailwaterError(errorCodes.MONGO_CONNECTOR_CONTRADICTION, { file: 'The command line', reason });
