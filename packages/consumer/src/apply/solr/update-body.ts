// The body of an update request: a JSON object of `add` and `delete` commands, one for each change.
// https://solr.apache.org/guide/solr/latest/indexing-guide/indexing-with-update-handlers.html#sending-json-update-commands
import { formatNamespace } from '@tailwater/schema';
import type { Change } from '../../change.js';
import { JsonBuffer } from '../json/json-buffer.js';
import { writeVersion } from '../json/write-version.js';
import type { FieldTree } from './field-tree.js';
import { Flattener, type OnUnknown } from './flattener.js';

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

  /**
   * The commands for these changes, valid until the next call.
   *
   * @throws InvalidBsonError
   */
  write(changes: readonly Change[], { own, fields }: Layout, idOf: (change: Change) => string): Buffer {
    const out = this.#out;
    out.reset();
    out.raw(BEGIN);
    const add = Buffer.from(`"add":{"doc":{${JSON.stringify(own.uniqueKey)}:`);
    const namespaceLabel = own.namespace === undefined ? undefined : label(own.namespace);
    const versionLabels = own.versions.map(label);
    for (const [index, change] of changes.entries()) {
      if (index > 0) out.raw(SEPARATOR);
      out.raw(change.kind === 'upsert' ? add : DELETE);
      out.text(idOf(change));
      if (change.kind === 'delete') {
        out.raw(END);
        continue;
      }
      if (namespaceLabel !== undefined) {
        out.raw(namespaceLabel);
        out.text(formatNamespace(change.namespace));
      }
      for (const versionLabel of versionLabels) {
        out.raw(versionLabel);
        writeVersion(out, change.position);
      }
      this.#flattener.document(change.document, fields);
      out.raw(END);
      out.raw(END);
    }
    out.raw(END);
    return out.written();
  }
}

const label = (field: string): Buffer => Buffer.from(`,${JSON.stringify(field)}:`);
