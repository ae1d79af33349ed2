// A converted configuration as the text of a tailwater.yaml: each value with the key it comes from, each secret as a reference, and
// what became of the other keys at the top.
import { Document, isScalar, visit, type YAMLMap } from 'yaml';
import type { Conversion } from './convert.js';
import type { Notice } from './notices.js';
import { type Reference, withoutSecrets } from './secret-references.js';

export interface YamlText {
  readonly text: string;
  /** What of the text stands in the environment. */
  readonly references: readonly Reference[];
}

const TITLES: Readonly<Record<Notice['fate'], string>> = {
  replaced: 'Replaced',
  refused: 'Without effect',
  ignored: 'Unknown',
  note: 'To know',
};

/** @param file - what was converted */
export function toYaml({ tree, notices }: Conversion, file: string): YamlText {
  const all: Reference[] = [];
  const document = new Document({});
  const brokers = document.createNode(['127.0.0.1:9092']);
  brokers.commentBefore = ' mongo-connector had no Kafka: name your brokers here';
  for (const [key, entry] of [...tree].sort(([one], [other]) => order(one) - order(other))) {
    const { from } = entry;
    const { written, references } = withoutSecrets(key, entry);
    all.push(...references);
    const node = document.createNode(written);
    if (isScalar(node)) node.comment = ` ${from}`;
    else node.commentBefore = ` ${from}`;
    document.setIn(key.split('.'), node);
    if (key === 'source.uri') document.setIn(['kafka', 'brokers'], brokers);
  }
  document.commentBefore = header(notices, file, all);
  visit(document, {
    Map: (_key, map: YAMLMap) => {
      map.flow = false;
    },
  });
  return { text: document.toString({ lineWidth: 0 }), references: all };
}

/** A line break in a key would end the comment. */
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

const SECTIONS = ['source', 'kafka', 'namespaces', 'producer', 'targets', 'logging'];
const order = (key: string): number => SECTIONS.indexOf(key.split('.')[0] ?? '');

/** What to set, for people: `ES_PASSWORD (docManagers[0].args.clientOptions.http_auth)`. */
export const describeReference = ({ variable, from, isInAddress }: Reference): string =>
  `${variable} (${isInAddress ? `the secret in ${from}, as it is written there` : from})`;

function header(notices: readonly Notice[], file: string, references: readonly Reference[]): string {
  const lines = [`Converted from ${file}, a configuration of mongo-connector. docs/from-mongo-connector.md tells what became of each key.`];
  if (references.length > 0) lines.push('', 'To be set in the environment:', ...references.map((each) => `- ${describeReference(each)}`));
  for (const [fate, title] of Object.entries(TITLES)) {
    const mine = notices.filter((notice) => notice.fate === fate);
    if (mine.length > 0) lines.push('', `${title}:`, ...mine.map(({ key, text }) => `- ${key}: ${text}`));
  }
  return lines.map((line) => (line === '' ? '' : ` ${line.replaceAll(CONTROL, ' ')}`)).join('\n');
}
