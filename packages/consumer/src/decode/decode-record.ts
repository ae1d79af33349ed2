// A Kafka record to a change. Control records are not changes; a record that is neither is refused by name, never skipped
// (promise E): the pipeline decides what becomes of it.
import { isUtf8 } from 'node:buffer';
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import {
  decodeChangeEvent,
  fileStateOf,
  isControlKey,
  type Namespace,
  type Position,
  parseTombstone,
  type SchemaIds,
  splitContent,
  UnlistedSchemaIdError,
} from '@tailwater/schema';
import type { Change, FileContent } from '../changes/change.js';
import type { FetchedRecord, TopicPartition } from '../subscribe/subscription.js';

const NOTHING = Buffer.alloc(0);
/** Most keys: they need no parser. */
const OBJECT_ID_KEY = /^\{"\$oid":"[0-9a-f]{24}"\}$/;

/** Where a record came from. */
export interface RecordSource {
  readonly topic: string;
  readonly partition: number;
  /** The topic's namespace. */
  readonly namespace: Namespace;
}

/** Thrown for a record that is no change event, tombstone or control record. */
export class UndecodableRecordError extends Error {
  override readonly name: string = 'UndecodableRecordError';
}

/** Thrown for a record whose schema is not known yet, or not at all: a schema registry has it. */
export class UnlistedRecordError extends UndecodableRecordError {
  override readonly name = 'UnlistedRecordError';
  readonly schemaId: number;

  constructor(cause: UnlistedSchemaIdError) {
    super(`${cause.message}, which does not know it`, { cause });
    this.schemaId = cause.id;
  }
}

/**
 * Looks a record's schema up, so that the record can be decoded; however long the registry is away.
 *
 * @throws TailwaterError TW1564 without a registry, whatever --on-error says: every record would be a dead letter
 */
export async function learnSchema(
  schemas: SchemaIds,
  { offset, value }: FetchedRecord,
  { topic, partition }: TopicPartition,
  { schemaId }: UnlistedRecordError,
  signal: AbortSignal,
): Promise<void> {
  if (!schemas.hasRegistry) throw new TailwaterError(errorCodes.REGISTRY_NEEDED, { topic, partition, offset, id: schemaId });
  await schemas.learn(value as Buffer, signal);
}

/**
 * @param schemas - what is known of a schema registry
 * @returns undefined for a control record
 * @throws UndecodableRecordError when the record is not one that this release, or an earlier one, writes; UnlistedRecordError when
 *   its schema is not among those that are known
 */
export function decodeRecord(record: FetchedRecord, source: RecordSource, schemas?: SchemaIds): Change | undefined {
  try {
    const { key, value } = record;
    if (key === null || key.length === 0) throw new UndecodableRecordError('the record has no key');
    if (isControlKey(key)) return undefined;
    const text = keyText(key);
    return value === null ? decodeTombstone(text, record, source) : decodeUpsert(text, value, record, source, schemas);
  } catch (error) {
    if (error instanceof UndecodableRecordError) throw error;
    // Anybody can write to a topic: whatever it is, it ends no process.
    throw new UndecodableRecordError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** Another text would be the id of another document at one target, and of none at the next. */
function keyText(key: Buffer): string {
  if (!isUtf8(key)) throw new UndecodableRecordError('the key of the record is not UTF-8');
  const text = key.toString('utf8');
  if (OBJECT_ID_KEY.test(text)) return text;
  try {
    JSON.parse(text);
  } catch {
    throw new UndecodableRecordError('the key of the record is no JSON');
  }
  return text;
}

function decodeTombstone(key: string, record: FetchedRecord, source: RecordSource): Change {
  const tombstone = parseTombstone(record.headers);
  if (tombstone === undefined) throw new UndecodableRecordError('the record has no value, nor the headers of a delete');
  const { position, origin, wallTimeMs } = tombstone;
  checkPosition(position);
  return {
    kind: 'delete',
    key,
    namespace: source.namespace,
    document: NOTHING,
    position,
    origin,
    op: 'delete',
    wallTimeMs,
    topic: source.topic,
    partition: source.partition,
    offset: Number(record.offset),
    ...(fileStateOf(record.headers) === undefined ? {} : { file: { state: 'deleted' } }),
  };
}

function decodeUpsert(key: string, value: Buffer, record: FetchedRecord, source: RecordSource, schemas: SchemaIds | undefined): Change {
  let event: ReturnType<typeof decodeChangeEvent>;
  try {
    event = decodeChangeEvent(value, schemas);
  } catch (error) {
    if (error instanceof UnlistedSchemaIdError) throw new UnlistedRecordError(error);
    throw new UndecodableRecordError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  const { document, position } = event;
  checkPosition(position);
  if (document.length < 5 || document.readInt32LE(0) !== document.length) {
    throw new UndecodableRecordError('the document of the event is not a BSON document');
  }
  const change: Change = {
    kind: 'upsert',
    key,
    namespace: source.namespace,
    document,
    position,
    origin: event.origin,
    op: event.op,
    wallTimeMs: event.wallTimeMs,
    topic: source.topic,
    partition: source.partition,
    offset: Number(record.offset),
  };
  const state = fileStateOf(record.headers);
  return state === undefined ? change : { ...change, ...fileOf(document, state) };
}

/** Two numbers of 32 bits: any other would make a version that nothing replaces. */
function checkPosition({ t, i }: Position): void {
  if (t >>> 0 !== t || i >>> 0 !== i) throw new UndecodableRecordError('the position of the event is no timestamp of an oplog');
}

/** A file's document and its content apart: what transforms see is the document. */
function fileOf(whole: Buffer, state: FileContent['state']): Pick<Change, 'document' | 'file'> {
  if (state !== 'content') return { document: whole, file: { state } };
  const { document, content } = splitContent(whole);
  if (content === undefined) throw new UndecodableRecordError('the record of a file says that it has its content, and has none');
  return { document, file: { state, content } };
}
