// The body of a `_bulk` request: for each change an action line, and for an upsert the document's line.
// https://www.elastic.co/guide/en/elasticsearch/reference/8.19/docs-bulk.html
import type { Change } from '../../changes/change.js';
import { documentId } from '../document-id.js';
import { JsonBuffer } from '../json/json-buffer.js';
import { writeVersion } from '../json/write-version.js';
import { UnencodableChangeError } from '../unencodable.js';
import { BsonToJson } from './bson-to-json.js';

// A refused older version is a success: what the target holds is newer (promise D). Versions are written as digits, because
// those of today's timestamps exceed what a JavaScript number holds.
const NEWLINE = 0x0a;
const OPEN_OBJECT = 0x7b;
const COMMA = 0x2c;
/** A multiple of three, so that slices of base64 follow each other without padding; small, so that no text of many megabytes is made. */
const BASE64_SLICE_BYTES = 48 * 1024;
const UPSERT_ACTION = '{"index":{"version_type":"external_gte","_index":';
const DELETE_ACTION = '{"delete":{"version_type":"external_gte","_index":';
const ID = ',"_id":';
const VERSION = ',"version":';
const ACTION_END = '}}\n';

interface Actions {
  readonly upsert: Buffer;
  readonly delete: Buffer;
}

export class BulkBody {
  readonly #out = new JsonBuffer();
  readonly #json = new BsonToJson(this.#out);
  readonly #indexOf: (namespace: Change['namespace']) => string;
  readonly #attachment: Buffer;
  readonly #actions = new Map<Change['namespace'], Actions>();

  /** @param attachmentField takes the contents of files */
  constructor(indexOf: (namespace: Change['namespace']) => string, attachmentField = 'content') {
    this.#indexOf = indexOf;
    this.#attachment = Buffer.from(`${JSON.stringify(attachmentField)}:"`);
  }

  /** NaN and infinite numbers left out so far. */
  get droppedValues(): number {
    return this.#json.droppedValues;
  }

  /** The memory it holds, in bytes. */
  get capacity(): number {
    return this.#out.bytes.length;
  }

  /**
   * The NDJSON of these changes, valid until the next call.
   *
   * @throws UnencodableChangeError
   */
  write(changes: readonly Change[]): Buffer {
    this.#out.reset();
    try {
      this.#lines(changes);
    } catch (error) {
      throw new UnencodableChangeError(error);
    }
    return this.#out.written();
  }

  #lines(changes: readonly Change[]): void {
    const out = this.#out;
    for (const change of changes) {
      const actions = this.#actionsOf(change.namespace);
      out.raw(change.kind === 'upsert' ? actions.upsert : actions.delete);
      const id = documentId(change.key);
      if (isPlain(id)) out.ascii(`"${id}"`);
      else out.text(id);
      out.ascii(VERSION);
      writeVersion(out, change.position);
      out.ascii(ACTION_END);
      if (change.kind === 'delete') continue;
      this.#json.document(change.document);
      if (change.file?.content !== undefined) this.#attach(change.file.content);
      out.ensure(1);
      out.byte(NEWLINE);
    }
  }

  /** Adds the content to the document that was written last, before its closing brace. */
  #attach(content: Buffer): void {
    const out = this.#out;
    out.at -= 1;
    out.ensure(1);
    if (out.bytes[out.at - 1] !== OPEN_OBJECT) out.byte(COMMA);
    out.raw(this.#attachment);
    for (let at = 0; at < content.length; at += BASE64_SLICE_BYTES) out.ascii(content.toString('base64', at, at + BASE64_SLICE_BYTES));
    out.ascii('"}');
  }

  #actionsOf(namespace: Change['namespace']): Actions {
    const known = this.#actions.get(namespace);
    if (known !== undefined) return known;
    const index = JSON.stringify(this.#indexOf(namespace));
    const actions = { upsert: Buffer.from(UPSERT_ACTION + index + ID), delete: Buffer.from(DELETE_ACTION + index + ID) };
    this.#actions.set(namespace, actions);
    return actions;
  }
}

/** Whether JSON text of this id is the id in quotes: true of ObjectIds and most strings. */
function isPlain(id: string): boolean {
  return /^[\w.:/@ -]*$/.test(id);
}
