// args.clientOptions: what mongo-connector handed to the Python clients of Elasticsearch, Solr and MongoDB.
import type { Notices } from './notices.js';
import type { Reader } from './reader.js';
import { connectionString } from './source.js';
import { put, type Tree } from './tree.js';

const CONSUMER = 'consumer';
const ALWAYS_RETRIED = 'what fails for now is tried again for as long as it takes';

export function convertEsClient(client: Reader, path: string, tree: Tree, notices: Notices): void {
  put(tree, `${path}.requestTimeout`, client.number('timeout', { min: 1 }));
  convertEsLogin(client, path, tree);
  if (client.flag('use_ssl') === true) setScheme(tree, path);
  put(tree, `${path}.tls.ca`, client.text('ca_certs'));
  put(tree, `${path}.compression`, client.flag('http_compress'));
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
  put(tree, `${path}.user`, user);
  put(tree, `${path}.password`, password);
  const apiKey = client.any('api_key');
  put(tree, `${path}.apiKey`, Array.isArray(apiKey) ? Buffer.from(apiKey.join(':')).toString('base64') : apiKey);
}

function setScheme(tree: Tree, path: string): void {
  const target = (tree['targets'] as Tree)[path.slice('targets.'.length)] as Tree;
  if (typeof target['url'] === 'string') target['url'] = target['url'].replace(/(^|,)http:/g, '$1https:');
}

export function convertSolrClient(client: Reader, path: string, tree: Tree, notices: Notices): void {
  put(tree, `${path}.requestTimeout`, client.number('timeout', { min: 1 }));
  if (client.any('always_commit') !== undefined)
    notices.replaced(client.name('always_commit'), 'autoCommitInterval 0 commits with each batch', CONSUMER);
  refuseRest(client, notices);
}

/** PyMongo's options have the names of the connection string's. */
export function convertMongoClient(client: Reader, path: string, tree: Tree, notices: Notices): void {
  const writeConcern = client.any('w');
  if (writeConcern !== undefined) put(tree, `${path}.writeConcern`, String(writeConcern));
  const target = (tree['targets'] as Tree)[path.slice('targets.'.length)] as Tree;
  const parameters = client
    .keys()
    .filter((key) => key !== 'w')
    .flatMap((key) => {
      const value = client.any(key);
      if (typeof value !== 'object' && value !== undefined) return [`${key}=${encodeURIComponent(String(value))}`];
      notices.refused(client.name(key), 'it is no option of a connection string', CONSUMER);
      return [];
    });
  if (typeof target['url'] === 'string') target['url'] = connectionString(target['url'], parameters);
}

function refuseRest(client: Reader, notices: Notices): void {
  for (const key of client.unread) notices.refused(key, 'the client here has no such option', CONSUMER);
}
