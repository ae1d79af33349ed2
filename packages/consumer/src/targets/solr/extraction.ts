// The text of GridFS files: Solr's own `/update/extract` reads it out of the content, and says it; the document then goes the way of all
// documents, with the text as one more field. So versions, chains, schemas and ids are the same for files as for everything else.
// https://solr.apache.org/guide/solr/latest/indexing-guide/indexing-with-tika.html
import { errorCodes, type Logger, TailwaterError } from '@tailwater/runtime';
import { BsonCursor, BsonType, readString } from '@tailwater/schema';
import type { Change } from '../../changes/change.js';
import type { Answer } from './answer.js';
import type { DroppedFields } from './dropped-fields.js';
import { parsed, reasonOf, refusal } from './failures.js';
import type { SolrHttp } from './http.js';

const HANDLER = 'update/extract?extractOnly=true&extractFormat=text&ignoreTikaException=true&wt=json';
const UNKNOWN_TYPE = 'application/octet-stream';
const NOT_FOUND = 404;
/** Not of the file: the request can be answered another time, or is not allowed. */
const OF_THE_SERVER = new Set([401, 403, 408, 429, 502, 503, 504]);
const AT_ONCE = 4;

export interface ExtractionParts {
  readonly http: SolrHttp;
  /** Takes the text. */
  readonly field: string;
  readonly dropped: DroppedFields;
  readonly logger?: Pick<Logger, 'warn'> | undefined;
}

export class Extraction {
  readonly #core: string;
  readonly #parts: ExtractionParts;
  #isMissing = false;
  #hasFailed = false;

  constructor(core: string, parts: ExtractionParts) {
    this.#core = core;
    this.#parts = parts;
  }

  /** The changes, those of files with the text of their contents in their documents. */
  async withTexts(changes: readonly Change[], signal: AbortSignal): Promise<readonly Change[]> {
    if (!changes.some(({ file }) => file?.content !== undefined)) return changes;
    const ready: Change[] = [];
    for (let from = 0; from < changes.length; from += AT_ONCE) {
      const settled = await Promise.allSettled(changes.slice(from, from + AT_ONCE).map((change) => this.#withText(change, signal)));
      for (const each of settled) {
        if (each.status === 'rejected') throw each.reason;
        ready.push(each.value);
      }
    }
    return ready;
  }

  async #withText(change: Change, signal: AbortSignal): Promise<Change> {
    const content = change.file?.content;
    if (content === undefined || content.length === 0 || change.kind === 'delete') return change;
    const text = this.#isMissing ? undefined : await this.#extract(change, content, signal);
    if (text !== undefined) return { ...change, document: withField(change.document, this.#parts.field, text) };
    this.#parts.dropped.note(this.#parts.field);
    this.#parts.dropped.count(0, 1);
    return change;
  }

  /** Undefined when Solr cannot read it. */
  async #extract(change: Change, content: Buffer, signal: AbortSignal): Promise<string | undefined> {
    const { http } = this.#parts;
    const answer = await http.post(`${encodeURIComponent(this.#core)}/${HANDLER}`, content, signal, contentTypeOf(change.document));
    if (OF_THE_SERVER.has(answer.status)) throw refusal(answer, this.#core, http.address);
    if (answer.status === NOT_FOUND) {
      await this.#noteMissing(answer, signal);
      return undefined;
    }
    const text = answer.status === 200 ? textOf(answer) : undefined;
    if (text === undefined)
      this.#warn(errorCodes.FILE_TEXT_NOT_READ, { core: this.#core, key: change.key.slice(0, 200), reason: reasonOf(answer) });
    return text;
  }

  /** @throws TailwaterError TW1321 when it is the core that is missing, and not its handler */
  async #noteMissing(answer: Answer, signal: AbortSignal): Promise<void> {
    const { http } = this.#parts;
    const core = await http.get(`${encodeURIComponent(this.#core)}/schema/uniquekey?wt=json`, signal);
    if (core.status === NOT_FOUND) throw refusal(answer, this.#core, http.address);
    this.#isMissing = true;
    this.#warn(errorCodes.SOLR_WITHOUT_EXTRACTION, { core: this.#core });
  }

  /** Said once of each kind; the counter and the status name the field. */
  #warn(code: typeof errorCodes.SOLR_WITHOUT_EXTRACTION | typeof errorCodes.FILE_TEXT_NOT_READ, params: Record<string, string>): void {
    if (code === errorCodes.FILE_TEXT_NOT_READ && this.#hasFailed) return;
    if (code === errorCodes.FILE_TEXT_NOT_READ) this.#hasFailed = true;
    const { message, hint } = new TailwaterError(code, params);
    this.#parts.logger?.warn({ code, ...params }, `${message}. ${hint}`);
  }
}

/** The text stands under the name of the stream, which has none; beside it stands what Tika says about the file. */
export function textOf({ text }: Pick<Answer, 'text'>): string | undefined {
  const answer = parsed(text);
  if (typeof answer !== 'object' || answer === null) return undefined;
  return Object.values(answer).find((value): value is string => typeof value === 'string');
}

const cursor = new BsonCursor();

/** As the file's document says, in its own field or, as newer drivers have it, in its metadata; else Tika finds it out. */
function contentTypeOf(document: Buffer): string {
  for (const start of [0, metadataOf(document)]) {
    if (start === undefined) continue;
    cursor.enter(document, start);
    while (cursor.next()) {
      if (cursor.type !== BsonType.string || cursor.name() !== 'contentType') continue;
      const type = readString(document, cursor.valueStart);
      return /^[\w.+-]+\/[\w.+-]+(?:; ?[\w.+="-]+)*$/.test(type) ? type : UNKNOWN_TYPE;
    }
  }
  return UNKNOWN_TYPE;
}

function metadataOf(document: Buffer): number | undefined {
  cursor.enter(document, 0);
  while (cursor.next()) if (cursor.type === BsonType.object && cursor.name() === 'metadata') return cursor.valueStart;
  return undefined;
}

function withField(document: Buffer, name: string, text: string): Buffer {
  const value = Buffer.from(text, 'utf8');
  const head = Buffer.from(`\x02${name}\0\0\0\0\0`, 'utf8');
  head.writeInt32LE(value.length + 1, head.length - 4);
  const whole = Buffer.concat([document.subarray(0, document.length - 1), head, value, Buffer.alloc(2)]);
  whole.writeInt32LE(whole.length);
  return whole;
}
