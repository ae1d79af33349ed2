// mainAddress, authentication, ssl: where MongoDB is and who asks.
import { convertMongoAddress, type MongoOption } from './mongo-address.js';
import type { Notices } from './notices.js';
import type { Reader } from './reader.js';
import { put, type Tree } from './tree.js';

const DEFAULT_ADDRESS = 'localhost:27017';
const POLICIES = ['required', 'optional', 'ignored'] as const;

export function convertSource(config: Reader, tree: Tree, notices: Notices): void {
  const address = config.address('mainAddress') ?? DEFAULT_ADDRESS;
  // In the order of the file that is made.
  put(tree, 'source.uri', address, 'mainAddress');
  const user = convertAuthentication(config.part('authentication'), tree, notices);
  const ssl = convertSsl(config.part('ssl'), tree, notices);
  // mongo-connector's users live in admin unless the connection string says otherwise.
  const options = [...(user === undefined ? [] : [{ name: 'authSource', value: 'admin', from: 'authentication' }]), ...ssl];
  const owner = { tls: 'source.tls', process: 'producer', from: 'mainAddress' } as const;
  put(tree, 'source.uri', convertMongoAddress(address, options, owner, tree, notices), 'mainAddress');
}

function convertAuthentication(part: Reader, tree: Tree, notices: Notices): string | undefined {
  const user = part.text('adminUsername');
  const password = part.text('password');
  const passwordFile = part.text('passwordFile');
  notices.ignored(part.unread);
  if (user === undefined) {
    if (password !== undefined || passwordFile !== undefined) {
      const key = part.name(password === undefined ? 'passwordFile' : 'password');
      notices.refused(key, 'there is no adminUsername beside it', 'producer');
    }
    return undefined;
  }
  if (password === undefined && passwordFile === undefined) part.fail('authentication.adminUsername needs a password or a passwordFile');
  if (password !== undefined && passwordFile !== undefined) part.fail('authentication has both a password and a passwordFile');
  put(tree, 'source.user', user, part.name('adminUsername'));
  if (passwordFile === undefined) put(tree, 'source.password', password, part.name('password'));
  else put(tree, 'source.password', `file:${passwordFile}`, part.name('passwordFile'));
  return user;
}

/** The parameters of the connection string, for what is no file. */
function convertSsl(part: Reader, tree: Tree, notices: Notices): MongoOption[] {
  const cert = part.text('sslCertfile');
  const key = part.text('sslKeyfile');
  const ca = part.text('sslCACerts');
  const policy = part.choice('sslCertificatePolicy', POLICIES);
  notices.ignored(part.unread);
  if (cert === undefined && key === undefined && ca === undefined && policy === undefined) return [];
  if (key !== undefined && cert === undefined) part.fail('ssl.sslKeyfile needs an sslCertfile');
  put(tree, 'source.tls.ca', ca, part.name('sslCACerts'));
  put(tree, 'source.tls.cert', cert, part.name('sslCertfile'));
  put(tree, 'source.tls.key', key, part.name('sslKeyfile'));
  if (policy === 'optional')
    notices.replaced(part.name('sslCertificatePolicy'), 'a certificate is always there and is checked, as with required', 'producer');
  if (policy === 'ignored') notices.note(part.name('sslCertificatePolicy'), 'anyone can pose as the server', 'producer');
  const names = ['tls', ...(policy === 'ignored' ? ['tlsInsecure'] : [])];
  return names.map((name) => ({ name, value: 'true', from: 'ssl' }));
}
