// Requests to one Solr server, and nothing else: no retries, no redirects. Whoever calls judges the status; what does not come from Solr
// is no answer.

import { errorCodes, TailwaterError, type TlsMaterial, type User } from '@tailwater/runtime';
import { Pool } from 'undici';
import type { Answer } from './answer.js';
import { connectionFailure, notItsOwn } from './failures.js';
import type { SolrAddress } from './solr-url.js';

export interface HttpOptions {
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly user?: User;
  readonly tls?: TlsMaterial;
}

const JSON_BODY = 'application/json';
/** Short, so that the status says soon that the server is gone; whoever waits longer tries again. */
const CONNECT_TIMEOUT_MS = 3_000;

const basic = ({ name, password }: User): string => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

export class SolrHttp {
  /** For messages: without its password. */
  readonly address: string;
  readonly #pool: Pool;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ origin, path, authorization }: SolrAddress, address: string, options: HttpOptions) {
    this.address = address;
    this.#path = path;
    const header = options.user === undefined ? authorization : basic(options.user);
    this.#headers = header === undefined ? {} : { authorization: header };
    this.#pool = new Pool(origin, {
      headersTimeout: options.requestTimeoutMs,
      bodyTimeout: options.requestTimeoutMs,
      connect: { timeout: Math.min(options.connectTimeoutMs, CONNECT_TIMEOUT_MS), ...options.tls },
    });
  }

  /**
   * @param path below Solr's own: `orders/schema`
   * @throws TailwaterError TW1363 for what is not Solr's answer, TW1301 without an answer
   */
  get(path: string, signal: AbortSignal): Promise<Answer> {
    return this.#request({ method: 'GET', path: `${this.#path}/${path}`, headers: this.#headers, signal });
  }

  /** @throws TailwaterError when there was no answer, or none of Solr's: the request may or may not have been carried out */
  post(path: string, body: Buffer | string, signal: AbortSignal, contentType = JSON_BODY): Promise<Answer> {
    const headers = { ...this.#headers, 'content-type': contentType };
    return this.#request({ method: 'POST', path: `${this.#path}/${path}`, headers, body, signal });
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #request(options: Parameters<Pool['request']>[0] & { readonly signal: AbortSignal }): Promise<Answer> {
    let answer: Answer;
    try {
      const { statusCode, body } = await this.#pool.request(options);
      answer = { status: statusCode, text: await body.text() };
    } catch (error) {
      throw options.signal.aborted ? error : connectionFailure(error, this.address);
    }
    const problem = notItsOwn(answer);
    if (problem !== undefined)
      throw new TailwaterError(errorCodes.FOREIGN_ANSWER, { target: 'Solr', address: this.address, reason: problem });
    return answer;
  }
}
