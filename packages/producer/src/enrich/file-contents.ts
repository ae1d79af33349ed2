// Gives the files of GridFS buckets their contents (promise C), read at or after the position of their document. A driver writes the
// chunks of a file first and its document last, so the document's event is when the content is due.
//
// A content whose chunks are not all there, of the right size and with the right md5, is not published. Either the document has been
// deleted or written again by now: then a later event follows, and this one is superseded, as an update is whose document is gone. Or the
// source itself has no whole file: then its document goes out alone, and is counted.
import { createHash, getFips } from 'node:crypto';
import { errorCodes, type Logger, TailwaterError } from '@tailwater/runtime';
import { type FileState, findId, Position, recordKey, reserveContent } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { ChangeBatch, TrackedNamespace } from '../changes/change-batch.js';
import { idValue } from '../source/mongo/id-value.js';
import { readAfter } from '../source/mongo/read-after.js';
import { type FilesDocument, readChunk, readFilesDocument } from './files-document.js';

/** A topic takes records of 20 MiB; a file's document can have many megabytes itself. */
const MAX_RECORD_BYTES = 19 * 1024 * 1024;
/** Of the usual size they are 4 MB together. */
const CHUNKS_PER_REPLY = 16;
const hasMd5 = getFips() === 0;

export interface FileMetrics {
  fileWithoutContent(reason: 'too-large' | 'incomplete'): void;
}

/** A content on its way: chunks are written to their places in the document that will be published. */
interface Assembly {
  readonly row: number;
  readonly id: unknown;
  readonly document: Buffer;
  readonly content: Buffer;
  readonly chunkBytes: number;
  readonly md5: string | undefined;
  readonly present: Uint8Array;
  missing: number;
}

export class FileContents {
  readonly #client: MongoClient;
  readonly #maxBytes: number;
  readonly #metrics: FileMetrics;
  readonly #logger: Logger;
  readonly #told = new Set<string>();

  constructor(client: MongoClient, maxBytes: number, metrics: FileMetrics, logger: Logger) {
    this.#client = client;
    this.#maxBytes = maxBytes;
    this.#metrics = metrics;
    this.#logger = logger;
  }

  /** How many bytes of content the file of this document will bring. */
  readonly bytesOf = (document: Buffer): number => {
    const { length = 0 } = readFilesDocument(document);
    return this.#isTooLarge(document, length) ? 0 : length;
  };

  /** Puts the contents into the documents of the rows `[from, to)` that are files, and says of each what it carries. */
  async fill(batch: ChangeBatch, from: number, to: number): Promise<void> {
    const buckets = newestRows(batch, from, to);
    if (buckets.size === 0) return;
    const notBefore = new Position(batch.t[to - 1] as number, batch.i[to - 1] as number);
    for (const [bucket, rows] of buckets) {
      const assemblies = new Map<string, Assembly>();
      const broken: number[] = [];
      for (const [key, row] of rows) {
        const document = batch.document[row] as Buffer;
        const described = readFilesDocument(document);
        if (described.length !== undefined && this.#isTooLarge(document, described.length)) {
          this.#without(batch, row, 'too-large', described.length);
          continue;
        }
        const assembly = assemble(batch, row, described);
        if (assembly === undefined) broken.push(row);
        else assemblies.set(key, assembly);
      }
      await this.#readChunks(bucket, assemblies, notBefore);
      for (const assembly of assemblies.values()) {
        if (!isWhole(assembly)) broken.push(assembly.row);
        else {
          batch.document[assembly.row] = assembly.document;
          batch.file[assembly.row] = 'content';
        }
      }
      if (broken.length > 0) await this.#judge(bucket, batch, broken, notBefore);
    }
  }

  #isTooLarge(document: Buffer, length: number): boolean {
    return length > this.#maxBytes || document.length + length > MAX_RECORD_BYTES;
  }

  async #readChunks(bucket: TrackedNamespace, assemblies: ReadonlyMap<string, Assembly>, notBefore: Position): Promise<void> {
    const wanted = [...assemblies.values()].filter(({ missing }) => missing > 0);
    if (wanted.length === 0) return;
    await readAfter(this.#client, notBefore, async (session) => {
      for (const assembly of wanted) assembly.missing = assembly.present.fill(0).length;
      const cursor = this.#client
        .db(bucket.database)
        .collection(bucket.chunks as string)
        .find(
          { files_id: { $in: wanted.map(({ id }) => id) as never[] } },
          { projection: { files_id: 1, n: 1, data: 1 }, raw: true, session, readConcern: 'majority', batchSize: CHUNKS_PER_REPLY },
        );
      for await (const bytes of cursor as AsyncIterable<unknown> as AsyncIterable<Uint8Array>) {
        const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const chunk = readChunk(source);
        const assembly = chunk && assemblies.get(recordKey(source, chunk.idType, chunk.idStart));
        if (chunk !== undefined && assembly !== undefined) place(assembly, chunk.n, chunk.data);
      }
    });
  }

  /** Rows whose contents are not there: superseded when their documents are others by now, else published without. */
  async #judge(bucket: TrackedNamespace, batch: ChangeBatch, rows: readonly number[], notBefore: Position): Promise<void> {
    const ids = rows.map((row) => idOfRow(batch, row)).filter((id) => id !== undefined);
    const now = new Map<string, Buffer>();
    await readAfter(this.#client, notBefore, async (session) => {
      const found = await this.#client
        .db(bucket.database)
        .collection(bucket.collection)
        .find({ _id: { $in: ids as never[] } }, { raw: true, session, readConcern: 'majority' })
        .toArray();
      for (const bytes of found as unknown as Uint8Array[]) {
        const document = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        const id = findId(document);
        if (id !== undefined) now.set(recordKey(document, id.type, id.start), document);
      }
    });
    for (const row of rows) {
      const isAsked = idOfRow(batch, row) !== undefined;
      const isSame = now.get(batch.key[row] as string)?.equals(batch.document[row] as Buffer) === true;
      if (isSame || !isAsked) this.#without(batch, row, 'incomplete', readFilesDocument(batch.document[row] as Buffer).length);
      else batch.document[row] = undefined;
    }
  }

  /** Counted each time, and told once per bucket. */
  #without(batch: ChangeBatch, row: number, reason: FileState & ('too-large' | 'incomplete'), length: number | undefined): void {
    batch.file[row] = reason;
    this.#metrics.fileWithoutContent(reason);
    const namespace = batch.namespace[row]?.name ?? '';
    if (this.#told.has(`${reason} ${namespace}`)) return;
    this.#told.add(`${reason} ${namespace}`);
    const params = { key: (batch.key[row] as string).slice(0, 200), namespace, length: length ?? 'unknown', limit: this.#maxBytes };
    const { code, message, hint } = new TailwaterError(
      reason === 'too-large' ? errorCodes.FILE_TOO_LARGE : errorCodes.FILE_INCOMPLETE,
      params,
    );
    this.#logger.warn({ code, ...params }, `${message}. ${hint}`);
  }
}

/**
 * The rows of files by bucket and key. Of several changes of one file the last is taken: its content would be the earlier ones' as well,
 * and those are superseded.
 */
function newestRows(batch: ChangeBatch, from: number, to: number): Map<TrackedNamespace, Map<string, number>> {
  const buckets = new Map<TrackedNamespace, Map<string, number>>();
  const seen = new Map<TrackedNamespace, Set<string>>();
  for (let row = to - 1; row >= from; row--) {
    const namespace = batch.namespace[row] as TrackedNamespace;
    if (namespace.chunks === undefined) continue;
    const key = batch.key[row] as string;
    const keys = seen.get(namespace) ?? new Set();
    seen.set(namespace, keys);
    const isDelete = batch.op[row] === 'delete';
    if (keys.has(key)) {
      if (!isDelete) batch.document[row] = undefined;
      continue;
    }
    if (!isDelete && batch.document[row] === undefined) continue;
    keys.add(key);
    if (isDelete) continue;
    const rows = buckets.get(namespace) ?? new Map<string, number>();
    buckets.set(namespace, rows.set(key, row));
  }
  return buckets;
}

function idOfRow(batch: ChangeBatch, row: number): unknown {
  return idValue(batch.idSource[row] as Buffer, batch.idType[row] as number, batch.idStart[row] as number, batch.idEnd[row] as number);
}

/** Undefined when the document does not say what its chunks are, or they cannot be asked for. */
function assemble(batch: ChangeBatch, row: number, { length, chunkBytes = 0, md5 }: FilesDocument): Assembly | undefined {
  const id = idOfRow(batch, row);
  if (length === undefined || id === undefined || (length > 0 && chunkBytes === 0)) return undefined;
  const present = new Uint8Array(length === 0 ? 0 : Math.ceil(length / chunkBytes));
  return { row, id, ...reserveContent(batch.document[row] as Buffer, length), chunkBytes, md5, present, missing: present.length };
}

/** A chunk that does not fit its place is as good as missing. */
function place(assembly: Assembly, n: number, data: Buffer): void {
  const { content, chunkBytes, present } = assembly;
  const start = n * chunkBytes;
  if (n >= present.length || present[n] !== 0 || data.length !== Math.min(chunkBytes, content.length - start)) return;
  data.copy(content, start);
  present[n] = 1;
  assembly.missing -= 1;
}

function isWhole({ missing, md5, content }: Assembly): boolean {
  if (missing > 0) return false;
  return md5 === undefined || !hasMd5 || createHash('md5').update(content).digest('hex') === md5.toLowerCase();
}
