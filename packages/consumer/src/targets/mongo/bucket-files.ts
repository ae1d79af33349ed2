// Files of a GridFS bucket, whose target is a bucket too: the same files document, and the content in chunks of the size that it says.
//
// Maintained invariant: a files document is there only while all of its chunks are. So a file whose content changes goes the way of a
// deleted one first: its document, then its chunks; then the new chunks come, and the new document last. A crash between any two
// of these leaves chunks that no reader sees, and the batch, which is applied again, begins by removing them (promise D). A file whose content
// the target has already keeps it, so that a replay, or a new name, takes nothing away from readers.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { BsonCursor, BsonType, findId, formatNamespace, InvalidBsonError, type Namespace, recordKey } from '@tailwater/schema';
import { BSON, type Document, type MongoClient, MongoServerError, ObjectId } from 'mongodb';
import type { Change } from '../../changes/change.js';
import { refusalFor } from '../../changes/refusal.js';
import { APPLIED, type ChangeResult, SUPERSEDED } from '../target.js';
import { type Command, type Commands, MAX_COMMAND_BYTES, MAX_COMMAND_STATEMENTS } from './commands.js';
import { placeRefusal } from './failures.js';
import { type BsonValue, keyToId } from './key-to-id.js';
import { DUPLICATE_KEY, rejected, type WriteError } from './write-errors.js';

const FILES = '.files';
/** As the statements have it. */
const SIMPLE = { locale: 'simple' } as const;
/** GridFS's default, in bytes. */
const DEFAULT_CHUNK_BYTES = 255 * 1024;
/** CannotCreateIndex, IndexOptionsConflict, IndexKeySpecsConflict: the bucket's indexes were made in another way. */
const OTHER_INDEXES = new Set([67, 85, 86]);
/** Names and values as they are: no number changes its type, and text need not be UTF-8. */
const EXACT = { promoteValues: false, promoteBuffers: false, bsonRegExp: true, validation: { utf8: false } } as const;

export interface BucketFilesParts {
  readonly client: MongoClient;
  readonly commands: Commands;
  readonly run: (command: Command, signal: AbortSignal) => Promise<readonly WriteError[]>;
  /** The failure of a read, or of making an index, in these collections as a coded error. */
  readonly failure: (error: unknown, collections: readonly Namespace[]) => Promise<unknown>;
  readonly versionField: string | undefined;
}

/** A file that is to be as its change says, and what became of it so far. */
interface Task {
  readonly place: number;
  readonly change: Change;
  readonly id: BsonValue;
  readonly content: Buffer;
  readonly chunkBytes: number;
  /** The target has a document of this id, or may have. */
  exists: boolean;
  /** The target has this very content. */
  keepsContent: boolean;
}

export class BucketFiles {
  readonly #parts: BucketFilesParts;
  readonly #indexed = new Set<string>();

  constructor(parts: BucketFilesParts) {
    this.#parts = parts;
  }

  async apply(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const results: ChangeResult[] = changes.map(() => APPLIED);
    const byBucket = new Map<Namespace, Task[]>();
    for (const [place, change] of changes.entries()) {
      const task = refusalOf(change) ?? taskOf(place, change);
      if ('status' in task) results[place] = task;
      else byBucket.set(change.namespace, [...(byBucket.get(change.namespace) ?? []), task]);
    }
    for (const [files, tasks] of byBucket) {
      try {
        await this.#applyTo(files, tasks, results, signal);
      } catch (failure) {
        const refusal = placeRefusal(failure);
        for (const { place } of tasks) results[place] = refusal;
      }
    }
    return results;
  }

  async #applyTo(files: Namespace, tasks: readonly Task[], results: ChangeResult[], signal: AbortSignal): Promise<void> {
    const chunks = { ...files, collection: `${files.collection.slice(0, -FILES.length)}.chunks` };
    await this.#ensureIndexes(files, chunks, signal);
    let left = await this.#notSuperseded(files, tasks, results, signal);
    await this.#compareContents(chunks, left, signal);
    /** Runs one command for those of the tasks that have had no error so far. */
    const run = async (namespace: Namespace, wanted: readonly Task[], write: (command: Command, task: Task) => void): Promise<void> => {
      const command = this.#parts.commands.empty(namespace, 'delete');
      for (const task of wanted) {
        write(command, task);
        command.places.push(task.place);
      }
      if (wanted.length > 0) await this.#run(command, results, signal);
      this.#parts.commands.done(command);
      left = left.filter(({ place }) => results[place] === APPLIED);
    };
    const rewritten = (): Task[] => left.filter(({ keepsContent }) => !keepsContent);
    const present = rewritten().filter(({ exists }) => exists);
    await run(files, present, ({ statements }, { id, change }) => statements.delete(id, this.#parts.commands.guardOf(change)));
    await run(chunks, rewritten(), ({ statements }, { id }) => statements.deleteChunks(id));
    await this.#insertChunks(chunks, rewritten(), results, signal);
    const documents = left.filter(({ place, change }) => change.kind === 'upsert' && results[place] === APPLIED);
    await this.#writeDocuments(documents, results, signal);
  }

  /** What the server refuses is noted as its file's result. */
  async #run(command: Command, results: ChangeResult[], signal: AbortSignal, places = command.places): Promise<void> {
    for (const error of await this.#parts.run(command, signal)) {
      const result = rejected(error, command.namespace);
      // Another consumer, that was believed dead, has been at the same file: the last one begins anew.
      const isRace =
        command.name === 'insert' && error.code === DUPLICATE_KEY && result.status === 'rejected' && result.scope === undefined;
      results[places[error.index] as number] = isRace ? { ...result, retriable: true } : result;
    }
  }

  async #insertChunks(chunks: Namespace, tasks: readonly Task[], results: ChangeResult[], signal: AbortSignal): Promise<void> {
    const { commands } = this.#parts;
    let command = commands.empty(chunks, 'insert');
    const send = async (): Promise<void> => {
      if (command.statements.count > 0) await this.#run(command, results, signal);
      commands.done(command);
      command = commands.empty(chunks, 'insert');
    };
    for (const { place, change, id, content, chunkBytes } of tasks) {
      if (change.kind === 'delete') continue;
      for (let at = 0, n = 0; at < content.length; at += chunkBytes, n++) {
        const { statements } = command;
        if (statements.count >= MAX_COMMAND_STATEMENTS || statements.length + chunkBytes > MAX_COMMAND_BYTES) await send();
        command.statements.chunk(new ObjectId().id, id, n, content.subarray(at, at + chunkBytes));
        command.places.push(place);
      }
    }
    await send();
    commands.done(command);
  }

  async #writeDocuments(tasks: readonly Task[], results: ChangeResult[], signal: AbortSignal): Promise<void> {
    const { commands } = this.#parts;
    const refuse = (index: number, result: ChangeResult): void => {
      results[(tasks[index] as Task).place] = result;
    };
    const changes = tasks.map(({ change }) => change);
    for (const command of commands.of(changes, refuse)) {
      const places = command.places.map((index) => (tasks[index] as Task).place);
      await this.#run(command, results, signal, places);
      commands.done(command);
    }
  }

  /** The tasks that the target has nothing newer of; each learns whether there is a document. */
  async #notSuperseded(files: Namespace, tasks: readonly Task[], results: ChangeResult[], signal: AbortSignal): Promise<Task[]> {
    const found = new Map<string, Document>();
    const unasked = new Set<Task>();
    await this.#read(files, '_id', tasks, unasked, signal, (source) => {
      const id = findId(source);
      if (id !== undefined) found.set(recordKey(source, id.type, id.start), BSON.deserialize(source, EXACT));
    });
    return tasks.filter((task) => {
      const { place, change, content, chunkBytes } = task;
      const document = found.get(change.key);
      task.exists = document !== undefined || unasked.has(task);
      if (document === undefined) return true;
      const { versionField } = this.#parts;
      const version: unknown = versionField === undefined ? undefined : document[versionField];
      if (version instanceof BSON.Long && version.toBigInt() > change.position.version) {
        results[place] = SUPERSEDED;
        return false;
      }
      const isAlike = Number(document['length']) === content.length && Number(document['chunkSize']) === chunkBytes;
      task.keepsContent = change.kind === 'upsert' && isAlike;
      return true;
    });
  }

  /** Leaves `keepsContent` with those whose chunks are, byte for byte, what they should be. */
  async #compareContents(chunks: Namespace, tasks: readonly Task[], signal: AbortSignal): Promise<void> {
    const alike = new Map(tasks.filter(({ keepsContent }) => keepsContent).map((task) => [task.change.key, task]));
    const missing = new Map([...alike].map(([key, { content }]): [string, number] => [key, content.length]));
    await this.#read(chunks, 'files_id', [...alike.values()], new Set(), signal, (source) => {
      const chunk = readChunk(source);
      const task = chunk && alike.get(chunk.key);
      if (chunk === undefined || task === undefined) return;
      const start = chunk.n * task.chunkBytes;
      const isEqual = chunk.data.equals(task.content.subarray(start, start + task.chunkBytes));
      missing.set(chunk.key, isEqual ? (missing.get(chunk.key) as number) - chunk.data.length : Number.NaN);
    });
    for (const [key, task] of alike) task.keepsContent = missing.get(key) === 0;
  }

  /** Reads what belongs to the tasks. Ids that the driver has no value for are not asked for. */
  async #read(
    { database, collection }: Namespace,
    field: '_id' | 'files_id',
    tasks: readonly Task[],
    unasked: Set<Task>,
    signal: AbortSignal,
    take: (source: Buffer) => void,
  ): Promise<void> {
    const ids: unknown[] = [];
    for (const task of tasks) {
      const id = driverValue(task.id);
      if (id === undefined) unasked.add(task);
      else ids.push(id);
    }
    if (ids.length === 0) return;
    try {
      const cursor = this.#parts.client
        .db(database)
        .collection(collection)
        .find({ [field]: { $in: ids } } as Document, {
          raw: true,
          readPreference: 'primary',
          collation: SIMPLE,
          signal,
        });
      for await (const bytes of cursor as AsyncIterable<unknown> as AsyncIterable<Uint8Array>)
        take(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    } catch (error) {
      throw signal.aborted ? error : await this.#parts.failure(error, [{ database, collection }]);
    }
  }

  /** Those that the specification asks for; once per bucket. */
  async #ensureIndexes(files: Namespace, chunks: Namespace, signal: AbortSignal): Promise<void> {
    const name = formatNamespace(files);
    if (this.#indexed.has(name)) return;
    const create = async ({ database, collection }: Namespace, key: Record<string, 1>, unique: boolean): Promise<void> => {
      const index = {
        key,
        name: Object.keys(key)
          .map((field) => `${field}_1`)
          .join('_'),
        ...(unique ? { unique } : {}),
      };
      try {
        await this.#parts.client.db(database).command({ createIndexes: collection, indexes: [index] }, { signal });
      } catch (error) {
        if (error instanceof MongoServerError && OTHER_INDEXES.has(Number(error.code))) return;
        throw signal.aborted ? error : await this.#parts.failure(error, [files, chunks]);
      }
    };
    await create(files, { filename: 1, uploadDate: 1 }, false);
    await create(chunks, { files_id: 1, n: 1 }, true);
    this.#indexed.add(name);
  }
}

/** A refusal where the bytes are not what they should be. */
function taskOf(place: number, change: Change): Task | ChangeResult {
  const content = change.file?.content ?? Buffer.alloc(0);
  try {
    const isDelete = change.kind === 'delete';
    const id = isDelete ? keyToId(change.key) : idOf(change.document);
    const chunkBytes = isDelete ? 0 : chunkBytesOf(change.document);
    return { place, change, id, content, chunkBytes, exists: true, keepsContent: false };
  } catch (error) {
    return { status: 'rejected', ...refusalFor(error), retriable: false };
  }
}

const CHUNK_SIZE = Buffer.from('chunkSize');

/** As the file's document says, if that can be: a number that is more than nothing. */
function chunkBytesOf(document: Buffer): number {
  cursor.enter(document, 0);
  while (cursor.next()) {
    if (!cursor.isNamed(CHUNK_SIZE)) continue;
    const bytes = numberAt(document, cursor.type, cursor.valueStart);
    return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : DEFAULT_CHUNK_BYTES;
  }
  return DEFAULT_CHUNK_BYTES;
}

function numberAt(source: Buffer, type: number, start: number): number {
  switch (type) {
    case BsonType.int32:
      return source.readInt32LE(start);
    case BsonType.int64:
      return Number(source.readBigInt64LE(start));
    case BsonType.double:
      return source.readDoubleLE(start);
    default:
      return Number.NaN;
  }
}

/** A bucket without the content of a file cannot hold the file. */
function refusalOf({ kind, key, namespace, file }: Change): ChangeResult | undefined {
  const name = formatNamespace(namespace);
  const refuse = (
    code: typeof errorCodes.FILE_WITHOUT_CONTENT | typeof errorCodes.NO_NAME_FOR_BUCKET_FILES,
    params: Record<string, string>,
  ): ChangeResult => {
    const { message } = new TailwaterError(code, params);
    return { status: 'rejected', code, reason: message, retriable: false };
  };
  if (!namespace.collection.endsWith(FILES) || namespace.collection === FILES)
    return refuse(errorCodes.NO_NAME_FOR_BUCKET_FILES, { namespace: name });
  if (kind === 'delete' || file?.content !== undefined) return undefined;
  const reason = file?.state === 'too-large' ? 'it was over the producer’s limit' : 'the source lacked chunks of it';
  return refuse(errorCodes.FILE_WITHOUT_CONTENT, { key: key.slice(0, 200), namespace: name, reason });
}

function idOf(document: Buffer): BsonValue {
  const id = findId(document);
  if (id === undefined) throw new InvalidBsonError('The document of a file has no _id');
  return { type: id.type, bytes: document.subarray(id.start, id.end) };
}

/** The id as the driver writes it; undefined where it would write another one. */
function driverValue({ type, bytes }: BsonValue): unknown {
  const document = Buffer.concat([Buffer.alloc(4), Buffer.from([type]), Buffer.from('_id\0'), bytes, Buffer.alloc(1)]);
  document.writeInt32LE(document.length);
  try {
    const { _id: value } = BSON.deserialize(document, EXACT);
    return document.equals(BSON.serialize({ _id: value }, { ignoreUndefined: false })) ? value : undefined;
  } catch {
    return undefined;
  }
}

const cursor = new BsonCursor();

function readChunk(source: Buffer): { readonly key: string; readonly n: number; readonly data: Buffer } | undefined {
  const { n, data } = BSON.deserialize(source, { promoteBuffers: true, validation: { utf8: false } });
  cursor.enter(source, 0);
  while (cursor.next()) {
    if (cursor.name() === 'files_id' && typeof n === 'number' && data instanceof Uint8Array)
      return {
        key: recordKey(source, cursor.type, cursor.valueStart),
        n,
        data: Buffer.from(data.buffer, data.byteOffset, data.byteLength),
      };
  }
  return undefined;
}
