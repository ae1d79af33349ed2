// The Elasticsearch target, versions 8 and 9: one `_bulk` request per batch, its body built from BSON bytes.
import { Client } from '@elastic/elasticsearch';
import { errorCodes, redactAddress, TailwaterError } from '@tailwater/runtime';
import { formatNamespace } from '@tailwater/schema';
import type { Change } from '../../changes/change.js';
import { connectWithin } from '../connect-within.js';
import { documentId } from '../document-id.js';
import type { Inventory } from '../inventory.js';
import { SpareBuffers } from '../spare-buffers.js';
import { APPLIED, type ChangeResult, type Rejection, TARGET_API_VERSION, type Target } from '../target.js';
import { Aliases } from './aliases.js';
import { BulkBody } from './bulk-body.js';
import { BULK_FILTER, type BulkResponse, isAmbiguous, NO_INDEX, notABulkResponse, readBulkResponse } from './bulk-response.js';
import { connectionOptions, probeTls } from './connection.js';
import {
  applyFailure,
  elasticsearchFailure,
  FAILED,
  isNotFound,
  notItsOwn,
  placeRefusal,
  refusalOf,
  statusOf,
  TOO_LARGE,
} from './failures.js';
import { indexName, MAX_INDEX_NAME_BYTES } from './index-name.js';
import { putTemplate } from './index-template.js';
import { IndexInventory } from './inventory.js';
import type { ElasticsearchSettings } from './options.js';
import { Refresher } from './refresher.js';

export interface ElasticsearchOptions extends ElasticsearchSettings {
  /** `http://user:password@host:9200`, several separated by commas, or `cloud:` and a cloud id. */
  readonly url: string;
  /** Seconds after which what was written can be searched: 0 at once, undefined when the index says. */
  readonly autoCommitInterval?: number;
  /** How long, in milliseconds, to try to reach the server at the start. */
  readonly connectTimeoutMs: number;
  /** How long, in milliseconds, a request may take before it counts as failed. */
  readonly requestTimeoutMs: number;
}

/** How long, in milliseconds, a request may wait for an index's shard that is away: other indices share the request. */
const MAX_SHARD_WAIT_MS = 10_000;
/** No document's id: a text that begins with a brace keeps its quotes. */
const NOBODYS_ID = '{tailwater}';

export class ElasticsearchTarget implements Target {
  readonly apiVersion = TARGET_API_VERSION;
  readonly kind = 'es';
  readonly comparesVersions = true;
  readonly #options: ElasticsearchOptions;
  readonly #address: string;
  readonly #client: Client;
  readonly #bodies = new SpareBuffers(() => new BulkBody((namespace) => this.nameOf(namespace), this.#options.attachmentField));
  readonly #query: Readonly<Record<string, string | boolean>>;
  readonly #aliases: Aliases | undefined;
  readonly #refresher: Refresher | undefined;
  readonly #names = new Map<Change['namespace'], string>();
  #droppedValues = 0;

  /** @throws TailwaterError TW1308 when the URL is malformed, TW1340 when the cloud id is */
  constructor(options: ElasticsearchOptions) {
    this.#options = options;
    this.#address = redactAddress(options.url);
    this.#client = new Client({ ...connectionOptions(options.url, options), requestTimeout: options.requestTimeoutMs });
    const { aliasSuffix, autoCommitInterval, pipeline } = options;
    this.#query = {
      filter_path: BULK_FILTER,
      // Before the request itself counts as failed: else an index without its shard would look like a target that does not answer.
      timeout: `${Math.min(MAX_SHARD_WAIT_MS, options.requestTimeoutMs >> 1)}ms`,
      ...(pipeline === undefined ? {} : { pipeline }),
      ...(aliasSuffix === undefined ? {} : { require_alias: true }),
      ...(autoCommitInterval === 0 ? { refresh: true } : {}),
    };
    if (aliasSuffix !== undefined) this.#aliases = new Aliases(this.#client, aliasSuffix);
    if (autoCommitInterval !== undefined && autoCommitInterval > 0)
      this.#refresher = new Refresher(this.#client, autoCommitInterval * 1000);
  }

  /** NaN and infinite numbers that JSON cannot say, left out so far. */
  get droppedValues(): number {
    return this.#droppedValues;
  }

  nameOf(namespace: Change['namespace']): string {
    const index = indexName(namespace);
    const bytes = Buffer.byteLength(index + (this.#options.aliasSuffix ?? ''));
    if (bytes <= MAX_INDEX_NAME_BYTES) return index;
    const reason = `longer than ${MAX_INDEX_NAME_BYTES} bytes`;
    throw new TailwaterError(errorCodes.INDEX_NAME_REFUSED, {
      target: 'Elasticsearch',
      index,
      namespace: formatNamespace(namespace),
      reason,
    });
  }

  connect(signal: AbortSignal): Promise<void> {
    return connectWithin(this.#options.connectTimeoutMs, signal, async () => {
      try {
        await this.#checkHealth(signal);
        for (const template of this.#options.templates ?? []) await putTemplate(this.#client, template, signal);
        await this.#checkPipeline(signal);
      } catch (error) {
        const failure = await probeTls(error, this.#options.url, this.#options);
        if (failure === undefined) throw elasticsearchFailure(error, this.#address);
        throw new TailwaterError(
          errorCodes.TARGET_TLS_FAILED,
          { target: 'Elasticsearch', address: this.#address, reason: failure.reason },
          { cause: error },
        );
      }
    });
  }

  /** Any answer of its own counts: whether a user may see its name is not asked here. */
  async ping(signal: AbortSignal): Promise<void> {
    try {
      await this.#client.transport.request({ method: 'HEAD', path: '/' }, { signal, maxRetries: 0 });
    } catch (error) {
      if ((statusOf(error) ?? FAILED) >= FAILED) throw elasticsearchFailure(error, this.#address);
    }
  }

  async applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const misplaced = await this.#ensureAliases(this.#indicesOf(changes), signal);
    if (misplaced.size === 0) return this.#apply(changes, signal);
    const refusalOf = ({ namespace }: Change) => misplaced.get(this.#nameOf(namespace));
    const sent = changes.filter((change) => refusalOf(change) === undefined);
    const results = (sent.length === 0 ? [] : await this.#apply(sent, signal)).values();
    return changes.map((change) => refusalOf(change) ?? results.next().value ?? APPLIED);
  }

  async #apply(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const results = await this.#send(changes, signal);
    this.#refresher?.touch(this.#indicesOf(changes));
    const raced = changes.filter((_, index) => isMappingRace(results[index]));
    if (raced.length === 0) return this.#judged(changes, results, signal);
    const again = (await this.#send(raced, signal)).values();
    const both = results.map((result) => (isMappingRace(result) ? (again.next().value ?? result) : result));
    return this.#judged(changes, both, signal);
  }

  /** Of refusals that may be the place's, the place itself tells: whether it takes a write that changes nothing. */
  async #judged(changes: readonly Change[], results: readonly ChangeResult[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const asked = new Map<Change['namespace'], Rejection | undefined>();
    for (const [index, change] of changes.entries()) {
      if (!isAmbiguous(results[index]) || asked.has(change.namespace)) continue;
      asked.set(change.namespace, (await this.#pipelineRefusal(signal)) ?? (await this.#placeRefusal(change, signal)));
    }
    if (asked.size === 0) return results;
    return results.map((result, index) => (isAmbiguous(result) && asked.get((changes[index] as Change).namespace)) || result);
  }

  async #placeRefusal(change: Change, signal: AbortSignal): Promise<Rejection | undefined> {
    try {
      await this.#writeBeside(change, signal);
      return undefined;
    } catch (error) {
      return isNotFound(error) && refusalOf(error)?.type === undefined ? undefined : placeRefusal(error, this.#address);
    }
  }

  async #pipelineRefusal(signal: AbortSignal): Promise<Rejection | undefined> {
    try {
      await this.#checkPipeline(signal);
      return undefined;
    } catch (error) {
      return placeRefusal(error, this.#address);
    }
  }

  inventory(namespace: Change['namespace']): Promise<Inventory> {
    return Promise.resolve(new IndexInventory(this.#client, this.nameOf(namespace), this.#address));
  }

  async acceptsProbeWrite(change: Change, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#writeBeside(change, signal);
      return true;
    } catch (error) {
      return isNotFound(error);
    }
  }

  /** Deletes nothing, in the shard of the change. Fails, mostly because nothing is there. */
  async #writeBeside(change: Change, signal: AbortSignal): Promise<void> {
    const path = `/${encodeURIComponent(this.nameOf(change.namespace))}/_doc/${encodeURIComponent(NOBODYS_ID)}`;
    const querystring = { routing: documentId(change.key), filter_path: 'result,error.type,error.reason', timeout: this.#query['timeout'] };
    await this.#client.transport.request({ method: 'DELETE', path, querystring }, { signal });
  }

  async close(): Promise<void> {
    await this.#refresher?.close();
    await this.#client.close();
  }

  async #checkHealth(signal: AbortSignal): Promise<void> {
    // Neither `GET /` nor `HEAD /`: some distributions do not have them, and neither shows that the cluster works.
    const params = { method: 'GET', path: '/_cluster/health', querystring: { filter_path: 'status' } };
    try {
      await this.#client.transport.request(params, { signal, requestTimeout: this.#options.connectTimeoutMs });
    } catch (error) {
      // Let in, but without the right to look at the cluster's health.
      if (statusOf(error) !== 403) throw error;
    }
  }

  /** Of a pipeline that is not there, Elasticsearch would accuse each document. */
  async #checkPipeline(signal: AbortSignal): Promise<void> {
    const { pipeline } = this.#options;
    if (pipeline === undefined) return;
    const params = { method: 'GET', path: `/_ingest/pipeline/${encodeURIComponent(pipeline)}`, querystring: { filter_path: '*.version' } };
    try {
      await this.#client.transport.request(params, { signal });
    } catch (error) {
      if (statusOf(error) === 404)
        throw new TailwaterError(errorCodes.INGEST_PIPELINE_MISSING, { pipeline, address: this.#address }, { cause: error });
      if (statusOf(error) !== 403) throw error;
    }
  }

  #indicesOf(changes: readonly Change[]): ReadonlySet<string> {
    const indices = new Set<string>();
    let last: Change['namespace'] | undefined;
    for (const { namespace } of changes) {
      if (namespace === last) continue;
      last = namespace;
      indices.add(this.#nameOf(namespace));
    }
    return indices;
  }

  #nameOf(namespace: Change['namespace']): string {
    const name = this.#names.get(namespace) ?? this.nameOf(namespace);
    this.#names.set(namespace, name);
    return name;
  }

  /** What is refused of the indices, by name. */
  async #ensureAliases(indices: ReadonlySet<string>, signal: AbortSignal): Promise<ReadonlyMap<string, Rejection>> {
    const refused = new Map<string, Rejection>();
    if (this.#aliases === undefined) return refused;
    for (const index of indices) {
      try {
        await this.#aliases.ensure(index, signal);
      } catch (error) {
        refused.set(index, placeRefusal(error, this.#address));
      }
    }
    return refused;
  }

  async #send(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const body = this.#bodies.take();
    const before = body.droppedValues;
    const bulkBody = body.write(changes);
    try {
      const response = await this.#client.transport.request<BulkResponse>(
        // The transport sends a Buffer as it is, whatever its types say.
        { method: 'POST', path: '/_bulk', querystring: this.#query, bulkBody: bulkBody as unknown as string },
        { signal },
      );
      // Only now: bytes of a failed request may still be on their way out of this very memory.
      this.#bodies.giveBack(body);
      const problem = notABulkResponse(changes, response);
      if (problem !== undefined) throw notItsOwn(this.#address, problem);
      this.#droppedValues += body.droppedValues - before;
      const results = readBulkResponse(changes, response);
      if (response.errors && results.some((result) => result.status === 'rejected' && result.code === NO_INDEX)) this.#aliases?.forget();
      return results;
    } catch (error) {
      if (statusOf(error) === TOO_LARGE) return this.#split(changes, bulkBody.length, signal);
      throw signal.aborted ? error : applyFailure(error, this.#address);
    }
  }

  /** A body over the server's limit goes in halves; a single document over it is refused for good. */
  async #split(changes: readonly Change[], bytes: number, signal: AbortSignal): Promise<readonly ChangeResult[]> {
    if (changes.length === 1) {
      return [
        {
          status: 'rejected',
          code: String(TOO_LARGE),
          reason: `the request has ${bytes} bytes, more than http.max_content_length`,
          retriable: false,
        },
      ];
    }
    const middle = changes.length >> 1;
    return [...(await this.#send(changes.slice(0, middle), signal)), ...(await this.#send(changes.slice(middle), signal))];
  }
}

/**
 * Two requests that bring the same new field at once, as an integer and as a float: the mapping of one wins, and the other's
 * documents are refused although they fit it. A second attempt tells: it is accepted, or really refused.
 */
function isMappingRace(result: ChangeResult | undefined): boolean {
  return result?.status === 'rejected' && result.code === 'illegal_argument_exception';
}
