// docManagers: each is a target, and each target is a process of its own.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { convertEsClient, convertMongoClient, convertSolrClient } from './client-options.js';
import { connectionString } from './mongo-address.js';
import type { Notices } from './notices.js';
import type { Reader } from './reader.js';
import { put, type Tree } from './tree.js';

type TargetType = 'es' | 'solr' | 'mongo';

const TYPES: Readonly<Record<string, TargetType>> = {
  elastic_doc_manager: 'es',
  elastic2_doc_manager: 'es',
  solr_doc_manager: 'solr',
  mongo_doc_manager: 'mongo',
};

const DEFAULT_KEY = '_id';

/** The names of the targets. */
export function convertDocManagers(config: Reader, file: string, tree: Tree, notices: Notices): string[] {
  const names: string[] = [];
  for (const part of config.parts('docManagers')) {
    const type = typeOf(part, file);
    const count = names.filter((name) => name === type || name.startsWith(`${type}-`)).length;
    const name = count === 0 ? type : `${type}-${count + 1}`;
    names.push(name);
    convertDocManager(part, type, `targets.${name}`, tree, notices);
  }
  if (names.length === 0) notices.note('docManagers', 'there is none, so a consumer needs --target and --target-url', 'consumer');
  if (names.length > 1)
    notices.note('docManagers', `each is a process of its own now: consumer start --name ${names.join(', --name ')}`, 'consumer');
  return names;
}

function typeOf(part: Reader, file: string): TargetType {
  const classPath = part.text('docManagerClassPath');
  const docManager = part.text('docManager');
  const given = classPath ?? docManager;
  if (given === undefined) return part.fail(`${part.name('docManager')} is missing (-d on the command line)`);
  const type = classPath === undefined && Object.hasOwn(TYPES, given) ? TYPES[given] : undefined;
  if (type !== undefined) return type;
  const key = part.name(classPath === undefined ? 'docManager' : 'docManagerClassPath');
  throw new TailwaterError(errorCodes.UNKNOWN_DOC_MANAGER, { file, key, docManager: JSON.stringify(given) });
}

function convertDocManager(part: Reader, type: TargetType, path: string, tree: Tree, notices: Notices): void {
  put(tree, `${path}.type`, type, part.name('docManager'));
  const urls = part.addresses('targetURL');
  if (urls.length > 0) put(tree, `${path}.url`, targetUrl(type, urls), part.name('targetURL'));
  if (type === 'solr') shareCore(part, path, tree, notices);
  convertBulkSize(part, path, tree, notices);
  const interval = part.number('autoCommitInterval', { fractional: true });
  if (type !== 'mongo') put(tree, `${path}.autoCommitInterval`, interval, part.name('autoCommitInterval'));
  convertUniqueKey(part, type, path, tree, notices);
  const args = part.part('args');
  const client = args.part('clientOptions');
  if (type === 'es') convertEsArgs(args, path, tree, notices);
  if (type === 'mongo') convertMongoArgs(args, notices);
  const convertClient = { es: convertEsClient, solr: convertSolrClient, mongo: convertMongoClient }[type];
  convertClient(client, path, tree, notices);
  notices.ignored([...part.unread, ...args.unread]);
}

/** Addresses without a scheme, as mongo-connector's users write them. */
function targetUrl(type: TargetType, addresses: readonly string[]): string {
  if (type === 'mongo') return connectionString(addresses.join(','));
  return addresses.map((each) => (each.includes('://') ? each : `http://${each}`)).join(',');
}

/**
 * mongo-connector wrote every collection into the one core, under ids that two of them may share: the later write won, and deleting either
 * deleted it. Here the namespace is put before the ids where there may be several.
 */
function shareCore(part: Reader, path: string, tree: Tree, notices: Notices): void {
  const included = (tree.get('namespaces.include')?.value as readonly string[] | undefined) ?? ['*.*'];
  const isShared = included.length > 1 || included.some((name) => name.includes('*'));
  if (!isShared || !NAMES_CORE.test(String(tree.get(`${path}.url`)?.value ?? ''))) return;
  put(tree, `${path}.ids`, 'namespaced', part.name('targetURL'));
  const text =
    'ids in a core of several collections begin with db.collection/, so empty the core before the first start; --solr-ids plain keeps mongo-connector’s ids, for collections that share none';
  notices.note(part.name('targetURL'), text, 'consumer');
}

/** A Solr address with something behind /solr. */
const NAMES_CORE = /^https?:\/\/[^/]+\/(?:.*\/)?solr\/+[^/?#]/;

const MAX_BATCH = 100_000;

function convertBulkSize(part: Reader, path: string, tree: Tree, notices: Notices): void {
  const size = part.number('bulkSize', { min: 1 });
  if (size !== undefined) put(tree, `${path}.batchSize`, Math.min(size, MAX_BATCH), part.name('bulkSize'));
  if ((size ?? 0) > MAX_BATCH) notices.replaced(part.name('bulkSize'), `a request takes ${MAX_BATCH} changes at most`, 'consumer');
}

function convertUniqueKey(part: Reader, type: TargetType, path: string, tree: Tree, notices: Notices): void {
  const key = part.text('uniqueKey');
  if (key === undefined) return;
  if (type === 'solr') put(tree, `${path}.uniqueKey`, key, part.name('uniqueKey'));
  else if (key !== DEFAULT_KEY) notices.refused(part.name('uniqueKey'), 'the id is always the document’s _id', 'consumer');
}

function convertEsArgs(args: Reader, path: string, tree: Tree, notices: Notices): void {
  if (args.any('autoSendInterval') !== undefined)
    notices.replaced(
      args.name('autoSendInterval'),
      'what has arrived is sent at once, and many changes together when there are many',
      'consumer',
    );
  if (args.any('aws') !== undefined)
    notices.refused(
      args.name('aws'),
      'requests are not signed for AWS; put a signing proxy before it, or use a user and a password',
      'consumer',
    );
  for (const key of ['meta_index_name', 'meta_type']) {
    if (args.any(key) !== undefined)
      notices.replaced(args.name(key), 'there is no index of metadata; versions are in the documents’ own', 'consumer');
  }
  put(tree, `${path}.attachmentField`, args.text('attachment_field'), args.name('attachment_field'));
}

function convertMongoArgs(args: Reader, notices: Notices): void {
  for (const key of ['use_single_meta_collection', 'meta_collection_name', 'meta_collection_cap_size']) {
    if (args.any(key) !== undefined) notices.replaced(args.name(key), 'there are no collections of metadata', 'consumer');
  }
}
