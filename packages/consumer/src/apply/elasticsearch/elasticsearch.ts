// The Elasticsearch target, versions 8 and 9: one `_bulk` request per batch, its body built from BSON bytes.
import { Client } from '@elastic/elasticsearch';
import { redactAddress, TailwaterError } from '@tailwater/runtime';
import { formatNamespace } from '@tailwater/schema';
import type { Change } from '../../change.js';
import { connectWithin } from '../connect-within.js';
import { documentId } from '../document-id.js';
import type { Inventory } from '../inventory.js';
import { SpareBuffers } from '../spare-buffers.js';
import { type ChangeResult, TARGET_API_VERSION, type Target } from '../target.js';
import { Aliases } from './aliases.js';
import { BulkBody } from './bulk-body.js';
import { BULK_FILTER, type BulkResponse, NO_INDEX, readBulkResponse } from './bulk-response.js';
import { connectionOptions, probeTls } from './connection.js';
import { elasticsearchFailure, statusOf, TOO_LARGE } from './failures.js';
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
    throw new TailwaterError('TW1304', { target: 'Elasticsearch', index, namespace: formatNamespace(namespace), reason });
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
        throw new TailwaterError('TW1312', { target: 'Elasticsearch', address: this.#address, reason: failure.reason }, { cause: error });
      }
    });
  }

  async applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const indices = this.#indicesOf(changes);
    await this.#ensureAliases(indices, signal);
    const results = await this.#send(changes, signal);
    this.#refresher?.touch(indices);
    const raced = changes.filter((_, index) => isMappingRace(results[index]));
    if (raced.length === 0) return results;
    const again = (await this.#send(raced, signal)).values();
    return results.map((result) => (isMappingRace(result) ? (again.next().value ?? result) : result));
  }

  inventory(namespace: Change['namespace']): Promise<Inventory> {
    return Promise.resolve(new IndexInventory(this.#client, this.nameOf(namespace), this.#address));
  }

  /** Deletes nothing, in the shard of the change. */
  async takesWriteBeside(change: Change, signal: AbortSignal): Promise<boolean> {
    const path = `/${encodeURIComponent(this.nameOf(change.namespace))}/_doc/${encodeURIComponent(NOBODYS_ID)}`;
    const params = { method: 'DELETE', path, querystring: { routing: documentId(change.key), filter_path: 'result' } };
    try {
      await this.#client.transport.request(params, { signal });
      return true;
    } catch (error) {
      return statusOf(error) === 404;
    }
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
      if (statusOf(error) === 404) throw new TailwaterError('TW1343', { pipeline, address: this.#address }, { cause: error });
      if (statusOf(error) !== 403) throw error;
    }
  }

  #indicesOf(changes: readonly Change[]): ReadonlySet<string> {
    const indices = new Set<string>();
    let last: Change['namespace'] | undefined;
    for (const { namespace } of changes) {
      if (namespace === last) continue;
      last = namespace;
      const name = this.#names.get(namespace) ?? this.nameOf(namespace);
      this.#names.set(namespace, name);
      indices.add(name);
    }
    return indices;
  }

  async #ensureAliases(indices: ReadonlySet<string>, signal: AbortSignal): Promise<void> {
    try {
      await this.#aliases?.ensure(indices, signal);
    } catch (error) {
      throw elasticsearchFailure(error, this.#address);
    }
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
      this.#droppedValues += body.droppedValues - before;
      const results = readBulkResponse(changes, response);
      if (response.errors && results.some((result) => result.status === 'rejected' && result.code === NO_INDEX)) this.#aliases?.forget();
      return results;
    } catch (error) {
      if (statusOf(error) === TOO_LARGE) return this.#split(changes, bulkBody.length, signal);
      throw elasticsearchFailure(error, this.#address);
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
