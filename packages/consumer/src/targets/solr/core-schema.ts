// What one core's schema means for the documents that are written into it. The schema is read again every now and then, and
// whenever Solr refuses a document, so that fields may come and go while the consumer runs.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import type { Answer } from './answer.js';
import { refusal } from './failures.js';
import { FieldTree } from './field-tree.js';
import type { SolrHttp } from './http.js';
import type { NewField } from './new-fields.js';
import type { SolrSettings } from './options.js';
import { Schema } from './schema.js';
import type { Layout, OwnFields } from './update-body.js';
import type { ValueKind } from './value-kind.js';

const MAX_AGE_MS = 30_000;
/** As mongo-connector named them. */
const NAMESPACE_FIELD = 'ns';
const VERSION_FIELD = '_ts';
/** Of fields that hold 63 bits. */
const VERSION_KINDS: ReadonlySet<ValueKind | undefined> = new Set(['long', 'any']);
/** Solr takes these as instructions. */
const SOLR_FIELDS = ['_version_', '_root_', '_nest_path_', '_nest_parent_', '_childDocuments_'];

export class CoreSchema {
  readonly #core: string;
  readonly #http: SolrHttp;
  readonly #settings: SolrSettings;
  #layout: Layout | undefined;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<Layout> | undefined;

  constructor(core: string, http: SolrHttp, settings: SolrSettings) {
    this.#core = core;
    this.#http = http;
    this.#settings = settings;
  }

  /** How documents are written, by a schema that is not old. */
  async layout(signal: AbortSignal): Promise<Layout> {
    if (this.#layout !== undefined && performance.now() - this.#readAtMs < MAX_AGE_MS) return this.#layout;
    return this.#read(signal);
  }

  /** Reads the schema again, and says whether it has changed. */
  async hasChanged(signal: AbortSignal): Promise<boolean> {
    const before = this.#layout;
    return (await this.#read(signal)) !== before;
  }

  /** The schema as it is now. */
  async reread(signal: AbortSignal): Promise<Schema> {
    return (await this.#read(signal)).fields.schema;
  }

  /** Asks Solr for these fields; its answer may also be that they exist already. */
  add(fields: readonly NewField[], signal: AbortSignal): Promise<Answer> {
    return this.#http.post(`${encodeURIComponent(this.#core)}/schema?wt=json`, JSON.stringify({ 'add-field': fields }), signal);
  }

  /** Several lanes that ask at once share one request. */
  #read(signal: AbortSignal): Promise<Layout> {
    this.#reading ??= this.#request(signal).finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #request(signal: AbortSignal): Promise<Layout> {
    const answer = await this.#http.get(`${encodeURIComponent(this.#core)}/schema?wt=json`, signal);
    const schema = answer.status === 200 ? Schema.read(answer.text) : undefined;
    if (schema === undefined) throw refusal(answer, this.#core, this.#http.address, `read the schema of ${this.#core}`);
    this.#readAtMs = performance.now();
    if (schema.text === this.#layout?.fields.schema.text) return this.#layout;
    this.#layout = this.#layoutFor(schema);
    return this.#layout;
  }

  #layoutFor(schema: Schema): Layout {
    const { uniqueKey: expected, versionField } = this.#settings;
    const { uniqueKey } = schema;
    if (uniqueKey === undefined || (expected !== undefined && expected !== uniqueKey))
      throw new TailwaterError(errorCodes.OTHER_UNIQUE_KEY, { core: this.#core, actual: uniqueKey ?? 'none', expected: expected ?? 'one' });
    const holdsVersions = (field: string): boolean => VERSION_KINDS.has(schema.field(field)?.kind);
    if (versionField !== undefined && !holdsVersions(versionField))
      throw new TailwaterError(errorCodes.VERSION_FIELD_MISSING, { core: this.#core, field: versionField });
    const own: OwnFields = {
      uniqueKey,
      namespace: schema.field(NAMESPACE_FIELD) === undefined ? undefined : NAMESPACE_FIELD,
      versions: [...new Set([VERSION_FIELD, ...(versionField === undefined ? [] : [versionField])])].filter(holdsVersions),
    };
    const reserved = new Set([uniqueKey, ...(own.namespace === undefined ? [] : [own.namespace]), ...own.versions, ...SOLR_FIELDS]);
    return { own, fields: new FieldTree(schema, reserved) };
  }
}
