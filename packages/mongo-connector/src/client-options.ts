// args.clientOptions: what mongo-connector handed to the Python clients of Elasticsearch, Solr and MongoDB.
import { convertMongoAddress, type MongoOption } from './mongo-address.js';
import type { Notices } from './notices.js';
import type { Reader } from './reader.js';
import { put, type Tree } from './tree.js';

const CONSUMER = 'consumer';
const ALWAYS_RETRIED = 'what fails for now is tried again for as long as it takes';

export function convertEsClient(client: Reader, path: string, tree: Tree, notices: Notices): void {
  put(tree, `${path}.requestTimeout`, wholeSeconds(client), client.name('timeout'));
  convertEsLogin(client, path, tree);
  if (client.flag('use_ssl') === true) setScheme(tree, path);
  put(tree, `${path}.tls.ca`, client.text('ca_certs'), client.name('ca_certs'));
  put(tree, `${path}.tls.cert`, client.text('client_cert'), client.name('client_cert'));
  put(tree, `${path}.tls.key`, client.text('client_key'), client.name('client_key'));
  put(tree, `${path}.compression`, client.flag('http_compress'), client.name('http_compress'));
  if (client.flag('verify_certs') === false)
    notices.refused(client.name('verify_certs'), 'certificates are always checked; name the CA in ca_certs', CONSUMER);
  for (const key of client.keys().filter((each) => each.startsWith('sniff'))) {
    client.any(key);
    notices.refused(client.name(key), 'nodes are never asked for others; name them all in targetURL, separated by commas', CONSUMER);
  }
  for (const key of ['retry_on_timeout', 'retry_on_status', 'max_retries']) {
    if (client.any(key) !== undefined) notices.replaced(client.name(key), ALWAYS_RETRIED, CONSUMER);
  }
  refuseRest(client, notices);
}

/** `"user:password"` or `["user", "password"]` */
function convertEsLogin(client: Reader, path: string, tree: Tree): void {
  const login = client.any('http_auth');
  if (login !== undefined) {
    const [user, password] = pairOf(login) ?? client.refuse('http_auth', 'user:password, or a list of the two');
    put(tree, `${path}.user`, user, client.name('http_auth'));
    put(tree, `${path}.password`, password, client.name('http_auth'));
  }
  const apiKey = client.any('api_key');
  if (apiKey === undefined) return;
  const pair = Array.isArray(apiKey) ? pairOf(apiKey) : undefined;
  const encoded = pair === undefined ? apiKey : Buffer.from(pair.join(':')).toString('base64');
  if (typeof encoded !== 'string') client.refuse('api_key', 'an encoded key, or a list of its id and the key');
  put(tree, `${path}.apiKey`, encoded, client.name('api_key'));
}

function pairOf(value: unknown): readonly [string, string] | undefined {
  const colon = typeof value === 'string' ? value.indexOf(':') : -1;
  if (typeof value === 'string') return colon < 0 ? undefined : [value.slice(0, colon), value.slice(colon + 1)];
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [one, other] = value as readonly unknown[];
  return isPlain(one) && isPlain(other) ? [String(one), String(other)] : undefined;
}

const isPlain = (value: unknown): value is string | number | boolean => ['string', 'number', 'boolean'].includes(typeof value);

/** Python's clients take parts of a second. */
function wholeSeconds(client: Reader): number | undefined {
  const seconds = client.number('timeout', { fractional: true });
  return seconds === undefined ? undefined : Math.max(1, Math.ceil(seconds));
}

function setScheme(tree: Tree, path: string): void {
  const url = tree.get(`${path}.url`);
  if (typeof url?.value === 'string') put(tree, `${path}.url`, url.value.replace(/(^|,)http:/g, '$1https:'), url.from);
}

export function convertSolrClient(client: Reader, path: string, tree: Tree, notices: Notices): void {
  put(tree, `${path}.requestTimeout`, wholeSeconds(client), client.name('timeout'));
  if (client.any('always_commit') !== undefined)
    notices.replaced(client.name('always_commit'), 'autoCommitInterval 0 commits with each batch', CONSUMER);
  refuseRest(client, notices);
}

/**
 * PyMongo's options have the names of the connection string's. Who writes is kept out of it, where a password would be one part of an address
 * that everybody sees.
 */
export function convertMongoClient(client: Reader, path: string, tree: Tree, notices: Notices): void {
  convertWriteConcern(client, path, tree, notices);
  put(tree, `${path}.user`, client.text('username'), client.name('username'));
  put(tree, `${path}.password`, client.text('password'), client.name('password'));
  const options = client.keys().flatMap((name): MongoOption[] => {
    const from = client.name(name);
    if (READ_ELSEWHERE.has(name)) return [];
    const value = client.any(name);
    if (isPlain(value)) return [{ name, value: encodeURIComponent(String(value)), from }];
    if (value !== undefined) notices.refused(from, 'it is no option of a connection string', CONSUMER);
    return [];
  });
  const owner = { tls: `${path}.tls`, process: CONSUMER, from: 'targetURL' } as const;
  const url = tree.get(`${path}.url`);
  if (typeof url?.value !== 'string') return;
  put(tree, `${path}.url`, convertMongoAddress(url.value, options, { ...owner, from: url.from }, tree, notices), url.from);
}

const READ_ELSEWHERE: ReadonlySet<string> = new Set(['w', 'username', 'password']);

function convertWriteConcern(client: Reader, path: string, tree: Tree, notices: Notices): void {
  const concern = client.any('w');
  if (concern === undefined) return;
  if (!isPlain(concern) || concern === '') client.refuse('w', 'a number, or a text');
  if (String(concern) === '0')
    notices.replaced(client.name('w'), 'a write that nobody confirms may be lost; the default is majority', CONSUMER);
  else put(tree, `${path}.writeConcern`, String(concern), client.name('w'));
}

function refuseRest(client: Reader, notices: Notices): void {
  for (const key of client.unread) notices.refused(key, 'the client here has no such option', CONSUMER);
}
