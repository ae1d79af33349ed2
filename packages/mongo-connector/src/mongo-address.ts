// A MongoDB address as mongo-connector's users write it: host and port, or a connection string with the options that PyMongo knows.
// PyMongo warned of an option that it did not know and went on; the driver here refuses the whole address, so such options are told and
// left out. What PyMongo calls otherwise goes on under its name here.
// https://pymongo.readthedocs.io/en/3.13.0/api/pymongo/mongo_client.html
import { isConnectionOption } from '@tailwater/runtime';
import type { Notices } from './notices.js';
import { put, type Tree } from './tree.js';

/** An option of PyMongo, and how messages call it. */
export interface MongoOption {
  readonly name: string;
  /** As in a query, with what needs it escaped. */
  readonly value: string;
  readonly from: string;
}

/** Whose address it is. */
export interface AddressOwner {
  /** Where its files of TLS stand in the tree: `source.tls`. */
  readonly tls: string;
  readonly process: 'producer' | 'consumer';
  /** How messages call the address: `mainAddress`. */
  readonly from: string;
}

/** Files by the names of PyMongo. */
const FILES: ReadonlyMap<string, string> = new Map([
  ['ssl_ca_certs', 'ca'],
  ['ssl_certfile', 'cert'],
  ['ssl_keyfile', 'key'],
  ['ssl_pem_passphrase', 'keyPassword'],
]);
/** Options by the names of PyMongo; undefined for a value that changes nothing. */
const RENAMED: ReadonlyMap<string, (value: string) => readonly [name: string, value: string] | undefined> = new Map([
  ['ssl', (value) => ['tls', value]],
  ['ssl_cert_reqs', (value) => (/^(?:CERT_NONE|0|none)$/i.test(value) ? ['tlsAllowInvalidCertificates', 'true'] : undefined)],
  ['ssl_match_hostname', (value) => (/^false$/i.test(value) ? ['tlsAllowInvalidHostnames', 'true'] : undefined)],
  ['ssl_crlfile', (value) => ['tlsCRLFile', value]],
]);
/** The only option that may come several times. */
const REPEATABLE = 'readpreferencetags';
/** What says all that these say; the driver refuses them beside it. */
const INSECURE = 'tlsinsecure';
const PARTS_OF_INSECURE = ['tlsallowinvalidcertificates', 'tlsallowinvalidhostnames'];

const UNKNOWN = 'the driver here has no such option and goes on without it, as PyMongo did';

/** `host:port`, or a connection string, as a connection string with a path. */
export function connectionString(address: string): string {
  const { base, query } = split(address);
  return join(base, query === '' ? [] : [query]);
}

/**
 * The connection string of an address with these options, unless it has them itself, and without unknown ones. What is a file
 * goes into the tree.
 */
export function convertMongoAddress(
  address: string,
  options: readonly MongoOption[],
  owner: AddressOwner,
  tree: Tree,
  notices: Notices,
): string {
  const { base, query } = split(address);
  const own = optionsOf(query, owner.from).map(renamed);
  const names = new Set(own.map((option) => option?.name.toLowerCase()));
  const kept = new Map<string, string>();
  for (const option of [...own, ...options.map(renamed).filter((each) => !names.has(each?.name.toLowerCase()))]) {
    if (option === undefined) continue;
    const key = option.name.toLowerCase();
    const file = FILES.get(key);
    if (file !== undefined) put(tree, `${owner.tls}.${file}`, decoded(option.value), option.from);
    else if (isConnectionOption(key)) kept.set(key === REPEATABLE ? `${key} ${kept.size}` : key, `${option.name}=${option.value}`);
    else notices.refused(option.from, UNKNOWN, owner.process);
  }
  if (kept.has(INSECURE)) for (const part of PARTS_OF_INSECURE) kept.delete(part);
  return join(base, [...kept.values()]);
}

function renamed(option: MongoOption): MongoOption | undefined {
  const rename = RENAMED.get(option.name.toLowerCase());
  if (rename === undefined) return option;
  const [name, value] = rename(option.value) ?? [];
  return name === undefined || value === undefined ? undefined : { ...option, name, value };
}

function split(address: string): { base: string; query: string } {
  const uri = address.includes('://') ? address : `mongodb://${address}`;
  const at = uri.indexOf('?');
  const [base, query] = at < 0 ? [uri, ''] : [uri.slice(0, at), uri.slice(at + 1)];
  const hasPath = base.indexOf('/', base.indexOf('://') + 3) >= 0;
  return { base: hasPath ? base : `${base}/`, query };
}

const join = (base: string, parameters: readonly string[]): string => (parameters.length === 0 ? base : `${base}?${parameters.join('&')}`);

/** PyMongo takes `;` between them, too. Of an option that comes twice the last one counts. */
function optionsOf(query: string, from: string): MongoOption[] {
  return query
    .split(query.includes('&') ? '&' : ';')
    .filter((parameter) => parameter !== '')
    .map((parameter) => {
      const equals = parameter.indexOf('=');
      const [name, value] = equals < 0 ? [parameter, ''] : [parameter.slice(0, equals), parameter.slice(equals + 1)];
      return { name, value, from: `${from} (${name})` };
    });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
