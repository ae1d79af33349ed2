// The body of an update request: a JSON object of `add` and `delete` commands, one for each change.
// https://solr.apache.org/guide/solr/latest/indexing-guide/indexing-with-update-handlers.html#sending-json-update-commands
import { formatNamespace } from '@tailwater/schema';
import type { Change } from '../../changes/change.js';
import { type Refusal, refusalFor } from '../../changes/refusal.js';
import { JsonBuffer } from '../json/json-buffer.js';
import { writeVersion } from '../json/write-version.js';
import type { FieldTree } from './field-tree.js';
import { Flattener, type OnUnknown } from './flattener.js';
import { UnfitValueError } from './unfit-value.js';

const BEGIN = Buffer.from('{');
const END = Buffer.from('}');
const SEPARATOR = Buffer.from(',');
const DELETE = Buffer.from('"delete":{"id":');

/** What the consumer itself writes into each document. */
export interface OwnFields {
  readonly uniqueKey: string;
  /** Takes `database.collection`. */
  readonly namespace: string | undefined;
  /** Take the version of the change. */
  readonly versions: readonly string[];
}

/** How the documents of a core are written. */
export interface Layout {
  readonly own: OwnFields;
  readonly fields: FieldTree;
}

/** What stands before the fields of a document. */
interface Head {
  readonly add: Buffer;
  readonly namespace: Buffer | undefined;
  readonly versions: readonly Buffer[];
}

export interface Commands {
  readonly bytes: Buffer;
  /** By place in the batch, the changes that have no command. */
  readonly refused: ReadonlyMap<number, Refusal>;
}

export class UpdateBody {
  readonly #out = new JsonBuffer();
  readonly #flattener: Flattener;

  constructor(onUnknown: OnUnknown) {
    this.#flattener = new Flattener(this.#out, onUnknown);
  }

  /** NaN and infinite numbers left out so far. */
  get droppedValues(): number {
    return this.#flattener.droppedValues;
  }

  /** Values left out so far because the schema has no place for them. */
  get droppedFields(): number {
    return this.#flattener.droppedFields;
  }

  /** The memory it holds, in bytes. */
  get capacity(): number {
    return this.#out.bytes.length;
  }

  /** The commands for these changes, but those that are refused; valid until the next call. */
  write(changes: readonly Change[], { own, fields }: Layout, idOf: (change: Change) => string): Commands {
    const out = this.#out;
    const refused = new Map<number, Refusal>();
    out.reset();
    out.raw(BEGIN);
    const head: Head = {
      add: Buffer.from(`"add":{"doc":{${JSON.stringify(own.uniqueKey)}:`),
      namespace: own.namespace === undefined ? undefined : label(own.namespace),
      versions: own.versions.map(label),
    };
    for (const [index, change] of changes.entries()) {
      const { at } = out;
      const { droppedValues, droppedFields } = this.#flattener;
      try {
        if (at > BEGIN.length) out.raw(SEPARATOR);
        this.#command(change, head, fields, idOf);
      } catch (error) {
        out.at = at;
        Object.assign(this.#flattener, { droppedValues, droppedFields });
        refused.set(index, error instanceof UnfitValueError ? { code: error.code, reason: error.message } : refusalFor(error));
      }
    }
    out.raw(END);
    return { bytes: out.written(), refused };
  }

  #command(change: Change, head: Head, fields: FieldTree, idOf: (change: Change) => string): void {
    const out = this.#out;
    out.raw(change.kind === 'upsert' ? head.add : DELETE);
    out.text(idOf(change));
    if (change.kind === 'delete') {
      out.raw(END);
      return;
    }
    if (head.namespace !== undefined) {
      out.raw(head.namespace);
      out.text(formatNamespace(change.namespace));
    }
    for (const versionLabel of head.versions) {
      out.raw(versionLabel);
      writeVersion(out, change.position);
    }
    this.#flattener.document(change.document, fields);
    out.raw(END);
    out.raw(END);
  }
}

const label = (field: string): Buffer => Buffer.from(`,${JSON.stringify(field)}:`);
