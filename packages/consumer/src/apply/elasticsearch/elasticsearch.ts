// The Elasticsearch target, versions 8 and 9: one `_bulk` request per batch, its body built from BSON bytes.
import { Client } from '@elastic/elasticsearch';
import { redactUrl, TailwaterError } from '@tailwater/runtime';
import { formatNamespace } from '@tailwater/schema';
import type { Change } from '../../change.js';
import { connectWithin } from '../connect-within.js';
import { SpareBuffers } from '../spare-buffers.js';
import type { ChangeResult, Target } from '../target.js';
import { BulkBody } from './bulk-body.js';
import { BULK_FILTER, type BulkResponse, readBulkResponse } from './bulk-response.js';
import { elasticsearchFailure, statusOf, TOO_LARGE } from './failures.js';
import { indexName, MAX_INDEX_NAME_BYTES } from './index-name.js';

export interface ElasticsearchOptions {
  /** `http://user:password@host:9200` */
  readonly url: string;
  /** How long, in milliseconds, to try to reach the server at the start. */
  readonly connectTimeoutMs: number;
  /** How long, in milliseconds, a request may take before it counts as failed. */
  readonly requestTimeoutMs: number;
}

export class ElasticsearchTarget implements Target {
  readonly kind = 'es';
  readonly #options: ElasticsearchOptions;
  readonly #address: string;
  readonly #client: Client;
  readonly #bodies = new SpareBuffers(() => new BulkBody((namespace) => this.nameOf(namespace)));
  #droppedValues = 0;

  /** @throws TailwaterError TW1308 when the URL is malformed */
  constructor(options: ElasticsearchOptions) {
    this.#options = options;
    this.#address = redactUrl(options.url);
    if (!/^https?:$/.test(URL.canParse(options.url) ? new URL(options.url).protocol : ''))
      throw new TailwaterError('TW1308', { address: this.#address });
    this.#client = new Client({
      node: options.url,
      maxRetries: 0,
      requestTimeout: options.requestTimeoutMs,
      compression: false,
      enableMetaHeader: false,
    });
  }

  /** NaN and infinite numbers that JSON cannot say, left out so far. */
  get droppedValues(): number {
    return this.#droppedValues;
  }

  nameOf(namespace: Change['namespace']): string {
    const index = indexName(namespace);
    if (Buffer.byteLength(index) <= MAX_INDEX_NAME_BYTES) return index;
    const reason = `longer than ${MAX_INDEX_NAME_BYTES} bytes`;
    throw new TailwaterError('TW1304', { target: 'Elasticsearch', index, namespace: formatNamespace(namespace), reason });
  }

  connect(signal: AbortSignal): Promise<void> {
    // Neither `GET /` nor `HEAD /`: some distributions do not have them, and neither shows that the cluster works.
    const params = { method: 'GET', path: '/_cluster/health', querystring: { filter_path: 'status' } };
    return connectWithin(this.#options.connectTimeoutMs, signal, async () => {
      try {
        await this.#client.transport.request(params, { signal, requestTimeout: this.#options.connectTimeoutMs });
      } catch (error) {
        // Let in, but without the right to look at the cluster's health.
        if (statusOf(error) !== 403) throw elasticsearchFailure(error, this.#address);
      }
    });
  }

  async applyBatch(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const results = await this.#send(changes, signal);
    const raced = changes.filter((_, index) => isMappingRace(results[index]));
    if (raced.length === 0) return results;
    const again = (await this.#send(raced, signal)).values();
    return results.map((result) => (isMappingRace(result) ? (again.next().value ?? result) : result));
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  async #send(changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
    const body = this.#bodies.take();
    const before = body.droppedValues;
    const bulkBody = body.write(changes);
    try {
      const response = await this.#client.transport.request<BulkResponse>(
        // The transport sends a Buffer as it is, whatever its types say.
        { method: 'POST', path: '/_bulk', querystring: { filter_path: BULK_FILTER }, bulkBody: bulkBody as unknown as string },
        { signal },
      );
      // Only now: bytes of a failed request may still be on their way out of this very memory.
      this.#bodies.giveBack(body);
      this.#droppedValues += body.droppedValues - before;
      return readBulkResponse(changes, response);
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
