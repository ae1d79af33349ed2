// What is secret in a converted configuration, as references to environment variables. Of an address only its secrets are: host, user and
// settings stay where people read them.
import { escapeReferences, REDACTED, redact, redactAddress } from '@tailwater/runtime';
import { configOptionOf } from './convert.js';
import type { TreeEntry } from './tree.js';

export interface Reference {
  /** `ES_PASSWORD` */
  readonly variable: string;
  /** What the variable is to be set to. */
  readonly value: string;
  /** mongo-connector's key: `docManagers[0].targetURL`. */
  readonly from: string;
  /** It is a part of an address, in which it stays escaped as it was. */
  readonly isInAddress: boolean;
}

export interface WithoutSecrets {
  /** As a file holds it. */
  readonly written: unknown;
  readonly references: readonly Reference[];
}

/** @param key - of the tree: `targets.es.password` */
export function withoutSecrets(key: string, { value, from }: TreeEntry): WithoutSecrets {
  const secret = configOptionOf(key)?.secret;
  if (typeof value !== 'string' || secret === undefined || value.startsWith(FILE))
    return { written: escapeReferences(value), references: [] };
  const whole = { from, isInAddress: false, variable: variableOf(key), value };
  if (secret === 'value') return { written: `\${${whole.variable}}`, references: [whole] };
  const parts = partsOf(value);
  if (parts === undefined) return { written: `\${${whole.variable}}`, references: [whole] };
  const references = parts.secrets.map((each, index): Reference => {
    const number = index === 0 ? '' : `_${index + 1}`;
    return { from, isInAddress: true, variable: `${whole.variable}_PASSWORD${number}`, value: each };
  });
  const written = parts.plain.map((text, index) => {
    const variable = references[index - 1]?.variable;
    return `${variable === undefined ? '' : `\${${variable}}`}${escapeReferences(text)}`;
  });
  return { written: written.join(''), references };
}

const FILE = 'file:';

/** `ES_PASSWORD` of `targets.es.password`, `MONGO_URI` of `source.uri`; `TARGET_MONGO_URL` of `targets.mongo.url`, so that no two have one. */
function variableOf(key: string): string {
  const name = key
    .replace(/^targets\.(?!mongo)/, '')
    .replace(/^targets/, 'target')
    .replace(/^source/, 'mongo');
  return name
    .replaceAll(/[.-]/g, '_')
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toUpperCase();
}

/**
 * What of an address may be seen, and between every two such parts what may not; undefined where it is not clear which is which.
 * Maintained invariant: put together they are the address.
 */
function partsOf(address: string): { readonly plain: readonly string[]; readonly secrets: readonly string[] } | undefined {
  const plain = redact(redactAddress(address)).split(REDACTED);
  const [first = '', ...others] = plain;
  if (!address.startsWith(first)) return undefined;
  const secrets: string[] = [];
  let at = first.length;
  for (const [index, text] of others.entries()) {
    const isLast = index === others.length - 1;
    const end = isLast ? address.length - text.length : address.indexOf(text, at);
    // A second place where the part may be would leave a piece of a secret in sight.
    const isUnclear = !isLast && (text === '' || address.indexOf(text, end + 1) >= 0);
    if (end < at || isUnclear || !address.startsWith(text, end)) return undefined;
    secrets.push(address.slice(at, end));
    at = end + text.length;
  }
  return { plain, secrets };
}
