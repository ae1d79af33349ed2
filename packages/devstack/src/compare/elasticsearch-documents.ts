// Every document of an index beside the collection that it mirrors. What a document should look like is computed here from
// the driver's values, on purpose in another way than the consumer writes it from BSON bytes: one checks the other.

import { isDeepStrictEqual } from 'node:util';
import type { MongoClient } from 'mongodb';
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import { Agent, request } from 'undici';
import { compareByKey, type Differences } from './differences.js';
import { readRawDocuments } from './mongo-documents.js';

const PAGE = 2000;
const agent = new Agent({ keepAliveTimeout: 1000 });

/** Reads the source of every document of an index, by its id. An index that does not exist has none. */
export async function readIndex(url: string, index: string): Promise<Map<string, unknown>> {
  const documents = new Map<string, unknown>();
  await post(`${url}/${encodeURIComponent(index)}/_refresh`, undefined);
  let page = await post(`${url}/${encodeURIComponent(index)}/_search?scroll=1m`, { size: PAGE, sort: ['_doc'] });
  while (page !== undefined && page.hits.hits.length > 0) {
    for (const hit of page.hits.hits) documents.set(hit._id, hit._source);
    page = await post(`${url}/_search/scroll`, { scroll: '1m', scroll_id: page._scroll_id });
  }
  return documents;
}

interface SearchPage {
  readonly _scroll_id: string;
  readonly hits: { readonly hits: readonly { readonly _id: string; readonly _source: unknown }[] };
}

async function post(url: string, body: object | undefined): Promise<SearchPage | undefined> {
  const response = await request(url, {
    method: 'POST',
    dispatcher: agent,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.body.text();
  if (response.statusCode === 404) return undefined;
  if (response.statusCode >= 300) throw new Error(`${url} answered ${response.statusCode}: ${text.slice(0, 300)}`);
  // Integers beyond 2^53 must not pass through a JS number: both sides keep their text.
  return JSON.parse(quoteLargeIntegers(text)) as SearchPage;
}

const quoteLargeIntegers = (json: string): string =>
  json.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\d{16,}(?![\d.eE])/g, (token) => (token.startsWith('"') ? token : `"#${token}"`));

/** Compares a collection, whose name is in lower case, with its index. */
export async function compareElasticsearch(source: MongoClient, url: string, database: string, collection: string): Promise<Differences> {
  const raw = await readRawDocuments(source, database, collection);
  const expected = new Map<string, unknown>();
  for (const [key, document] of raw) expected.set(documentId(key), expectedSource(document));
  return compareByKey(expected, await readIndex(url, `${database}.${collection}`), isDeepStrictEqual);
}

/** The id under which a document is indexed: an ObjectId's digits, a string itself, anything else as its record key has it. */
function documentId(key: string): string {
  const parsed = JSON.parse(key) as unknown;
  if (typeof parsed === 'string') return parsed;
  const objectId = (parsed as { $oid?: unknown } | null)?.$oid;
  return typeof objectId === 'string' ? objectId : key;
}

/** What a document should look like in Elasticsearch. */
export function expectedSource(document: Buffer): unknown {
  const { _id, ...fields } = BSON.deserialize(document, {
    promoteValues: false,
    promoteLongs: false,
    promoteBuffers: false,
    bsonRegExp: true,
  });
  return plainObject(fields);
}

function plainObject(document: Document): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(document)) {
    const converted = plainValue(value);
    if (converted !== undefined) plain[name] = converted;
  }
  return plain;
}

function plainValue(value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'boolean' || typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map((element) => plainValue(element) ?? null);
  if (value instanceof Date) return dateText(value);
  if (value instanceof Int32) return value.value;
  if (value instanceof Double) return Number.isFinite(value.value) ? value.value : undefined;
  if (value instanceof Long && !(value instanceof Timestamp)) return integerText(value.toBigInt());
  if (value instanceof Timestamp) return { t: value.getHighBitsUnsigned(), i: value.getLowBitsUnsigned() };
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Decimal128) return value.toString();
  if (value instanceof UUID) return value.toHexString(true);
  if (value instanceof Binary)
    return value.sub_type === Binary.SUBTYPE_UUID ? value.toUUID().toHexString(true) : Buffer.from(value.value()).toString('base64');
  if (value instanceof BSONRegExp) return `/${value.pattern}/${value.options}`;
  if (value instanceof BSONSymbol) return value.value;
  if (value instanceof Code) return value.code;
  if (value instanceof MinKey) return 'MinKey';
  if (value instanceof MaxKey) return 'MaxKey';
  if (value instanceof DBRef) return plainObject(value.toJSON() as Document);
  return plainObject(value as Document);
}

const integerText = (value: bigint): unknown => (/^-?\d{16,}$/.test(value.toString()) ? `#${value}` : Number(value));

function dateText(value: Date): unknown {
  return value.toISOString();
}
