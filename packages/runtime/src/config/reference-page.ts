// docs/configuration.md out of the schema, so that the two cannot disagree.
import { type ConfigOption, flagName } from './option.js';
import { describeDefault, expectedOf, shapeOf } from './option-value.js';
import { configOptionsOf, type Section, sections, sectionTitles, TARGET_PATH, targetSections } from './schema/configuration.js';

const INTRODUCTION = `# Configuration

Every option is a flag, an environment variable, and a key of the configuration file. A flag beats the variable, the variable beats the file, the file beats the
default. The flag \`--batch-size\` is the variable \`TAILWATER_BATCH_SIZE\`; a variable that is set to nothing counts as not set. The tables below say the key.

<!-- Made from packages/runtime/src/config/schema by test/unit/runtime/config/reference.test.ts (run it with -u). -->

## The file

One file, YAML or JSON, serves producer and consumers. \`-c\`, \`--config\` or \`TAILWATER_CONFIG\` names it. No file is read that is not named: what a process does never depends
on the directory in which it happens to be started.

\`\`\`yaml
# yaml-language-server: $schema=./node_modules/@tailwater/runtime/schema/tailwater.schema.json
source:
  uri: mongodb://tailwater:\${MONGO_PASSWORD}@mongo1,mongo2,mongo3/?replicaSet=rs0
kafka:
  brokers: [kafka1:9092, kafka2:9092]
  prefix: tw
  sasl: { mechanism: scram-sha-512, user: tailwater, password: file:/run/secrets/kafka }
namespaces:
  include: [shop.*]
  exclude: [shop.sessions]
producer:
  snapshot: { parallel: 4 }
  status: { port: 8081 }
targets:
  search:
    type: es
    url: https://es1:9200
    apiKey: file:/run/secrets/es
    namespaces: { rename: { shop.*: search.* } }
    status: { port: 8082 }
  copy:
    type: mongo
    url: mongodb://copy1/?replicaSet=rs1
    status: { port: 8083 }
\`\`\`

\`\`\`sh
npx producer start -c tailwater.yaml
npx consumer start -c tailwater.yaml --name search
npx consumer start -c tailwater.yaml --name copy
\`\`\`

**Targets.** \`--name\` says which target of the file a consumer is about; it is not needed when the file has just one. Flags and variables beat the keys of that target. The name is
part of the consumer group, \`<prefix>.<name>\`: a target that is renamed is a new one, and starts from the beginning.

**For one process alone.** The sections \`kafka\`, \`namespaces\`, \`logging\` and \`status\` may stand again in \`producer\` and in each target. What stands there beats, key by key, what
stands at the top.

**Variables.** \`\${NAME}\` in any text of the file is replaced by the environment variable, in keys that take a number or a list too. \`$\${\` is a plain \`\${\`.

**Secrets.** For a secret, \`file:/path\` stands for what the file holds, without the white space at its end: in the file, as a variable, and as a flag. Flags show in the list of
processes, so give no secret as one.

A variable or a secret is looked up by the process that uses it: a consumer needs none of the producer's. Everything else is checked by every process: unknown keys, keys that occur
twice and wrong values end it with the place of each (TW1001, TW1002, TW1022).

**Before a start,** \`producer config check -c tailwater.yaml\` and \`consumer config check -c tailwater.yaml\` say whether all is well, with \`--connect\` also of the servers.
\`config print\` shows every value and where it comes from, without secrets.
`;

const OWN = ['kafka', 'namespaces', 'logging', 'status'];

/** The page. */
export function renderConfigReference(): string {
  const own = { ...sections, producer: without(sections.producer, OWN) };
  const parts = Object.entries(own).map(([name, section]) => `## ${name}\n\n${sectionTitles[name]}.\n\n${table(section, name)}`);
  const { module, ...types } = targetSections;
  const shared = Object.fromEntries(Object.entries(types.es).filter(([key, node]) => module[key as never] === node));
  const target = (title: string, section: Section, common: readonly string[]) =>
    `### ${title}\n\n${table(without(section, common), TARGET_PATH)}`;
  const sharedKeys = [...Object.keys(shared), ...OWN];
  return [
    INTRODUCTION,
    ...parts,
    `## targets\n\n${sectionTitles['targets']}. Every target has\n\n${table(without(shared, OWN), TARGET_PATH)}`,
    target('Elasticsearch: `type: es`', types.es, sharedKeys),
    target('Solr: `type: solr`', types.solr, sharedKeys),
    target('MongoDB: `type: mongo`', types.mongo, sharedKeys),
    target('A module: `type: ./my-target.js`', module, sharedKeys),
  ].join('\n');
}

const without = (section: Section, keys: readonly string[]): Section =>
  Object.fromEntries(Object.entries(section).filter(([key]) => !keys.includes(key)));

function table(section: Section, path: string): string {
  const rows = [...configOptionsOf(section, path)].map(([key, configOption]) => row(key, configOption));
  return ['| key | flag | default | |', '|---|---|---|---|', ...rows, ''].join('\n');
}

function row(key: string, configOption: ConfigOption): string {
  const byDefault = describeDefault(configOption);
  const { type, enum: choices } = shapeOf(configOption);
  const takes =
    type === 'string' && choices === undefined ? '' : `; ${expectedOf(configOption).replace(' (name=value on the command line)', '')}`;
  const secret = configOption.secret === undefined ? '' : '; a secret';
  const cells = [
    `\`${key}\``,
    `\`${flagName(configOption.flag)}${configOption.placeholder === undefined ? '' : ` ${configOption.placeholder}`}\``,
    byDefault === '' ? '' : `\`${byDefault}\``,
    escapeMarkdown(`${configOption.describe}${takes}${secret}`),
  ];
  return `| ${cells.join(' | ')} |`;
}

const escapeMarkdown = (text: string): string => text.replace(/[*_<>#[\]|]/g, (character) => `\\${character}`);
