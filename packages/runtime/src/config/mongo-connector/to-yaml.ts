// A converted configuration as the text of a tailwater.yaml: each value with the key it comes from, each secret as a reference, and
// what became of the other keys at the top.
import { Document, isScalar, visit, type YAMLMap } from 'yaml';
import { redactAddress } from '../../errors/redact.js';
import { escapeReferences } from '../references.js';
import type { Conversion } from './convert.js';
import type { Notice } from './notices.js';

export interface YamlText {
  readonly text: string;
  /** The environment variables that the text refers to. */
  readonly variables: readonly string[];
}

/** How the keys of leaves end that are secrets as a whole. */
const SECRET_LEAF = /\.(?:password|apiKey)$/;
const URL_LEAF = /\.(?:uri|url)$/;

const TITLES: Readonly<Record<Notice['fate'], string>> = {
  replaced: 'Replaced',
  refused: 'Without effect',
  ignored: 'Unknown',
  note: 'To know',
};

/** @param file - what was converted */
export function toYaml({ tree, notices }: Conversion, file: string): YamlText {
  const variables: string[] = [];
  const document = new Document({});
  const brokers = document.createNode(['127.0.0.1:9092']);
  brokers.commentBefore = ' mongo-connector had no Kafka: name your brokers here';
  for (const [key, { value, from }] of [...tree].sort(([one], [other]) => order(one) - order(other))) {
    const variable = variableOf(key, value);
    if (variable !== undefined) variables.push(variable);
    const node = document.createNode(variable === undefined ? escapeReferences(value) : `\${${variable}}`);
    if (isScalar(node)) node.comment = ` ${from}`;
    else node.commentBefore = ` ${from}`;
    document.setIn(key.split('.'), node);
    if (key === 'source.uri') document.setIn(['kafka', 'brokers'], brokers);
  }
  document.commentBefore = header(notices, file, variables);
  visit(document, {
    Map: (_key, map: YAMLMap) => {
      map.flow = false;
    },
  });
  return { text: document.toString({ lineWidth: 0 }), variables };
}

const SECTIONS = ['source', 'kafka', 'namespaces', 'producer', 'targets', 'logging'];
const order = (key: string): number => SECTIONS.indexOf(key.split('.')[0] ?? '');

/** The variable that stands for a secret: `ES_PASSWORD`, `MONGO_URI`. */
function variableOf(key: string, value: unknown): string | undefined {
  if (typeof value !== 'string' || value.startsWith('file:')) return undefined;
  const hasSecret = SECRET_LEAF.test(key) || (URL_LEAF.test(key) && redactAddress(value) !== value);
  if (!hasSecret) return undefined;
  const name = key.startsWith('targets.') ? key.slice('targets.'.length) : key.replace('source', 'mongo');
  return name
    .replaceAll(/[.-]/g, '_')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toUpperCase();
}

function header(notices: readonly Notice[], file: string, variables: readonly string[]): string {
  const lines = [`Converted from ${file}, a configuration of mongo-connector. docs/from-mongo-connector.md tells what became of each key.`];
  if (variables.length > 0) lines.push('', `To be set in the environment: ${variables.join(', ')}`);
  for (const [fate, title] of Object.entries(TITLES)) {
    const mine = notices.filter((notice) => notice.fate === fate);
    if (mine.length > 0) lines.push('', `${title}:`, ...mine.map(({ key, text }) => `- ${key}: ${text}`));
  }
  return lines.map((line) => (line === '' ? '' : ` ${line}`)).join('\n');
}
