// Whether producer and consumer take a converted configuration, before it is written: what `config check` would refuse is worth nothing.
// Files that it names are not looked for, because they are on the machine where the processes run.
import type { Conversion, YamlText } from '@tailwater/mongo-connector';
import {
  type ConfigFile,
  compileNamespaceRules,
  configOptions,
  errorCodes,
  type Logger,
  loadOptions,
  parseConfigFile,
  programScope,
  redactAddress,
  TailwaterError,
  targetScope,
  userOf,
  withConnectionString,
} from '@tailwater/runtime';
import { prepareStart, startOptions } from '../prepare-start.js';

const { mongo, mongoUser, mongoPassword, include, exclude, gridfs } = configOptions;

/** @throws TailwaterError what a start with the file would throw that has connected to nothing yet, and TW1069 for a doc manager without address */
export async function checkConverted({ tree }: Conversion, yaml: YamlText, file: string, logger: Logger): Promise<void> {
  const written = parseConfigFile(yaml.text, file);
  const env = Object.fromEntries(yaml.references.map(({ variable, value }) => [variable, value]));
  const config = withoutFiles(written);
  const source = loadOptions(
    { mongo, mongoUser, mongoPassword, include, exclude, gridfs },
    { flags: {}, env, file: programScope(config, 'producer') },
  );
  compileNamespaceRules({ include: source.include, exclude: source.exclude, gridfs: source.gridfs });
  userOf('mongo', source.mongoUser, source.mongoPassword);
  await checkConnectionString(source.mongo);
  for (const name of config.targets) {
    const type = tree.get(`targets.${name}.type`);
    if (!tree.has(`targets.${name}.url`))
      throw new TailwaterError(errorCodes.MONGO_CONNECTOR_ADDRESS_WITHOUT_SERVER, {
        file,
        key: (type?.from ?? '').replace(/docManager$/, 'targetURL'),
      });
    const given = loadOptions(startOptions, { flags: {}, env, file: targetScope(config, name) });
    const { target, transforming } = await prepareStart(given, logger);
    try {
      transforming.for(target);
    } finally {
      await target.close();
    }
  }
}

const FILE = /^file:/;
const TLS = /\.tls\./;

function withoutFiles(config: ConfigFile): ConfigFile {
  const entries = [...config.entries].filter(([key]) => !TLS.test(key));
  const named = entries.map(([key, entry]) => {
    const isFile = typeof entry.written === 'string' && FILE.test(entry.written);
    return [key, isFile ? { ...entry, written: 'in a file' } : entry] as const;
  });
  return { ...config, entries: new Map(named) };
}

async function checkConnectionString(uri: string): Promise<void> {
  const { MongoClient } = await import('mongodb');
  const address = redactAddress(uri);
  const client = withConnectionString(
    uri,
    () => new MongoClient(uri),
    (cause) => new TailwaterError(errorCodes.MALFORMED_MONGODB_URI, { address }, { cause }),
  );
  await client.close();
}
