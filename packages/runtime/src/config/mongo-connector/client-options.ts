// args.clientOptions: what mongo-connector handed to the Python clients of Elasticsearch, Solr and MongoDB.
import type { Notices } from './notices.js';
import type { Reader } from './reader.js';
import { connectionString } from './source.js';
import { put, type Tree } from './tree.js';

const CONSUMER = 'consumer';
const ALWAYS_RETRIED = 'what fails for now is tried again for as long as it takes';

export function convertEsClient(client: Reader, path: string, tree: Tree, notices: Notices): void {
  put(tree, `${path}.requestTimeout`, client.number('timeout', { min: 1 }), client.name('timeout'));
  convertEsLogin(client, path, tree);
  if (client.flag('use_ssl') === true) setScheme(tree, path);
  put(tree, `${path}.tls.ca`, client.text('ca_certs'), client.name('ca_certs'));
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
  const [user, password] =
    typeof login === 'string'
      ? [login.split(':', 1)[0], login.slice(login.indexOf(':') + 1)]
      : Array.isArray(login)
        ? login.map(String)
        : [];
  put(tree, `${path}.user`, user, client.name('http_auth'));
  put(tree, `${path}.password`, password, client.name('http_auth'));
  const apiKey = client.any('api_key');
  const encoded = Array.isArray(apiKey) ? Buffer.from(apiKey.join(':')).toString('base64') : apiKey;
  put(tree, `${path}.apiKey`, encoded, client.name('api_key'));
}

function setScheme(tree: Tree, path: string): void {
  const url = tree.get(`${path}.url`);
  if (typeof url?.value === 'string') put(tree, `${path}.url`, url.value.replace(/(^|,)http:/g, '$1https:'), url.from);
}

export function convertSolrClient(client: Reader, path: string, tree: Tree, notices: Notices): void {
  put(tree, `${path}.requestTimeout`, client.number('timeout', { min: 1 }), client.name('timeout'));
  if (client.any('always_commit') !== undefined)
    notices.replaced(client.name('always_commit'), 'autoCommitInterval 0 commits with each batch', CONSUMER);
  refuseRest(client, notices);
}

/** PyMongo's options have the names of the connection string's. */
export function convertMongoClient(client: Reader, path: string, tree: Tree, notices: Notices): void {
  const writeConcern = client.any('w');
  if (writeConcern !== undefined) put(tree, `${path}.writeConcern`, String(writeConcern), client.name('w'));
  const parameters = client
    .keys()
    .filter((key) => key !== 'w')
    .flatMap((key) => {
      const value = client.any(key);
      if (typeof value !== 'object' && value !== undefined) return [`${key}=${encodeURIComponent(String(value))}`];
      notices.refused(client.name(key), 'it is no option of a connection string', CONSUMER);
      return [];
    });
  const url = tree.get(`${path}.url`);
  if (typeof url?.value === 'string') put(tree, `${path}.url`, connectionString(url.value, parameters), url.from);
}

function refuseRest(client: Reader, notices: Notices): void {
  for (const key of client.unread) notices.refused(key, 'the client here has no such option', CONSUMER);
}
