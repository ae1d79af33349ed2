// The Solr target, version 9, standalone and cloud: one update request per batch and core, its body built from BSON bytes.
import { errorCodes, type Logger, redactAddress, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace } from '@tailwater/schema';
import type { Change } from '../../changes/change.js';
import type { TargetAccess } from '../access.js';
import { connectWithin } from '../connect-within.js';
import { documentId } from '../document-id.js';
import type { Inventory } from '../inventory.js';
import { APPLIED, type ChangeResult, TARGET_API_VERSION, type Target } from '../target.js';
import { SolrCore } from './core.js';
import { coreName, MAX_CORE_NAME_BYTES } from './core-name.js';
import { DroppedFields } from './dropped-fields.js';
import { coreRefusal, refusal } from './failures.js';
import { SolrHttp } from './http.js';
import { CoreInventory } from './inventory.js';
import type { SolrSettings } from './options.js';
import { parseSolrUrl } from './solr-url.js';

export interface SolrOptions extends SolrSettings, TargetAccess {
  /** `http://user:password@host:8983/solr/core`, or without the core: then each namespace has its own. */
  readonly url: string;
  /** How long, in milliseconds, to try to reach the server at the start. */
  readonly connectTimeoutMs: number;
  /** How long, in milliseconds, a request may take before it counts as failed. */
  readonly requestTimeoutMs: number;
  /** Seconds until what was written can be searched: 0 at once, undefined when the core decides. */
  readonly autoCommitInterval: number | undefined;
  readonly logger?: Pick<Logger, 'warn'> | undefined;
}

const FORBIDDEN = 403;
const FAILED = 500;

export class SolrTarget implements Target {
  readonly apiVersion = TARGET_API_VERSION;
  readonly kind = 'solr';
  /** Whether older versions are refused: by the chain that the version field is for. */
  readonly comparesVersions: boolean;
  readonly #options: SolrOptions;
  readonly #http: SolrHttp;
  /** The one that takes every namespace, if one does. */
  readonly #sharedCore: string | undefined;
  readonly #cores = new Map<string, SolrCore>();
  readonly #coreOf = new Map<Namespace, SolrCore>();
  readonly #prefixes = new Map<Namespace, string>();
  readonly #dropped = new DroppedFields();

  /** @throws TailwaterError TW1308 when the URL is malformed */
  constructor(options: SolrOptions) {
    this.#options = options;
    this.comparesVersions = options.versionField !== undefined;
    const address = parseSolrUrl(options.url);
    if (address === undefined) throw new TailwaterError(errorCodes.MALFORMED_TARGET_URL, { address: redactAddress(options.url) });
    this.#http = new SolrHttp(address, redactAddress(options.url), options);
    this.#sharedCore = address.core;
  }

  /** NaN and infinite numbers that JSON cannot say, left out so far. */
  get droppedValues(): number {
    return this.#dropped.values;
  }

  /** Values left out so far because the schema has no field for them. */
  get droppedFields(): number {
    return this.#dropped.fields;
  }

  /** Of the first of those fields. */
  get droppedFieldNames(): readonly string[] {
    return this.#dropped.names;
  }

  /** @throws TailwaterError TW1304 for a name that is too long */
  nameOf(namespace: Namespace): string {
    const name = formatNamespace(namespace);
    // Unless ids are configured to differ, a core is one place: a second namespace cannot share it.
    if (this.#sharedCore !== undefined) return this.#options.ids === undefined ? this.#sharedCore : `${this.#sharedCore}/${name}`;
    const own = coreName(namespace);
    if (Buffer.byteLength(own) <= MAX_CORE_NAME_BYTES) return own;
    const reason = `longer than ${MAX_CORE_NAME_BYTES} bytes`;
    throw new TailwaterError(errorCodes.INDEX_NAME_REFUSED, { target: 'Solr', index: own, namespace: name, reason });
  }

  connect(signal: AbortSignal): Promise<void> {
    return connectWithin(this.#options.connectTimeoutMs, signal, async () => {
      if (this.#sharedCore !== undefined) {
        await this.#core(this.#sharedCore).open(signal);
        return;
      }
      const answer = await this.#http.get('admin/info/system?wt=json', signal);
      // Let in, but without the right to look at the server itself.
      if (answer.status !== 200 && answer.status !== FORBIDDEN) throw refusal(answer, 'admin/info/system', this.#http.address);
    });
  }

  /** Any answer of its own counts. */
  async ping(signal: AbortSignal): Promise<void> {
    const answer = await this.#http.get('admin/info/system?wt=json', signal);
    if (answer.status >= FAILED) throw refusal(answer, 'admin/info/system', this.#http.address);
  }

  guard(mayApply: () => boolean): void {
    this.#http.guard(mayApply);
  }

  async applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const byCore = new Map<SolrCore, number[]>();
    for (const [place, { namespace }] of changes.entries()) {
      const core = this.#coreFor(namespace);
      const places = byCore.get(core);
      if (places === undefined) byCore.set(core, [place]);
      else places.push(place);
    }
    if (byCore.size === 1) for (const core of byCore.keys()) return this.#applyTo(core, changes, signal);
    const results: ChangeResult[] = changes.map(() => APPLIED);
    // One after the other: when one fails, no other request may be under way while the batch is tried again.
    for (const [core, places] of byCore) {
      const own = places.map((place) => changes[place] as Change);
      for (const [index, result] of (await this.#applyTo(core, own, signal)).entries()) results[places[index] as number] = result;
    }
    return results;
  }

  async #applyTo(core: SolrCore, changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    try {
      return await core.apply(changes, signal);
    } catch (failure) {
      const refusal = coreRefusal(failure, this.#http.address);
      return changes.map(() => refusal);
    }
  }

  acceptsProbeWrite(change: Change, signal: AbortSignal): Promise<boolean> {
    return this.#coreFor(change.namespace).acceptsProbeWrite(change, signal);
  }

  /** @throws TailwaterError TW1391 when several namespaces share the core, and nothing tells their documents apart */
  async inventory(namespace: Namespace, signal: AbortSignal): Promise<Inventory> {
    const core = this.#sharedCore ?? coreName(namespace);
    const { uniqueKey, namespace: field } = await this.#coreFor(namespace).ownFields(signal);
    const prefix = this.#prefixOf(namespace);
    const name = formatNamespace(namespace);
    const idOf = (key: string) => prefix + documentId(key);
    const parts = { http: this.#http, core, uniqueKey, place: this.nameOf(namespace), idOf };
    if (field !== undefined) return new CoreInventory({ ...parts, filter: `{!term f=${field}}${name}` });
    if (prefix !== '') return new CoreInventory({ ...parts, filter: `{!prefix f=${uniqueKey}}${prefix}` });
    if (this.#sharedCore === undefined || this.#options.ids === undefined) return new CoreInventory({ ...parts, filter: undefined });
    throw new TailwaterError(errorCodes.INVENTORY_UNKNOWN, {
      target: 'Solr',
      namespace: name,
      reason: `the core ${core} has documents of others, and no field ns`,
    });
  }

  async close(): Promise<void> {
    await this.#http.close();
  }

  #coreFor(namespace: Namespace): SolrCore {
    const known = this.#coreOf.get(namespace);
    if (known !== undefined) return known;
    const core = this.#core(this.#sharedCore ?? coreName(namespace));
    this.#coreOf.set(namespace, core);
    return core;
  }

  #core(name: string): SolrCore {
    const known = this.#cores.get(name);
    if (known !== undefined) return known;
    const { autoCommitInterval, logger } = this.#options;
    const idOf = (change: Change) => this.#prefixOf(change.namespace) + documentId(change.key);
    const parts = { http: this.#http, settings: this.#options, autoCommitInterval, idOf, dropped: this.#dropped, logger };
    const core = new SolrCore(name, parts);
    this.#cores.set(name, core);
    return core;
  }

  /** `db.collection/` for ids that must differ between namespaces; a slash in the name itself is escaped. */
  #prefixOf(namespace: Namespace): string {
    if (this.#options.ids !== 'namespaced') return '';
    const known = this.#prefixes.get(namespace);
    if (known !== undefined) return known;
    const prefix = `${formatNamespace(namespace).replaceAll('%', '%25').replaceAll('/', '%2F')}/`;
    this.#prefixes.set(namespace, prefix);
    return prefix;
  }
}
