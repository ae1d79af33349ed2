// Requests to one Solr server, and nothing else: no retries, no redirects. The caller judges the status; what does not come from Solr
// is not an answer.

import { errorCodes, TailwaterError, type TlsMaterial, type User } from '@tailwater/runtime';
import { type Dispatcher, Pool } from 'undici';
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
/** Short, so that the status soon says that the server is gone; callers that wait longer try again. */
const CONNECT_TIMEOUT_MS = 3_000;

const basic = ({ name, password }: User): string => `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;

/** Asks right before a request is written to its connection: it may have waited for one, and the process may have been frozen meanwhile. */
function withLateCheck(handler: Dispatcher.DispatchHandler, mayApply: () => boolean): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller, context) {
      // What is thrown here fails the request, of which nothing was sent.
      if (!mayApply()) throw new TailwaterError(errorCodes.PARTITIONS_IN_DOUBT, {});
      handler.onRequestStart?.(controller, context);
    },
    onResponseStart: (...answer) => handler.onResponseStart?.(...answer),
    onResponseData: (...answer) => handler.onResponseData?.(...answer),
    onResponseEnd: (...answer) => handler.onResponseEnd?.(...answer),
    onResponseError: (...failure) => handler.onResponseError?.(...failure),
  };
}

export class SolrHttp {
  /** For messages: without its password. */
  readonly address: string;
  readonly #pool: Pool;
  readonly #dispatcher: Dispatcher;
  #mayApply = (): boolean => true;
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
    this.#dispatcher = this.#pool.compose((dispatch) => (request, handler) => {
      return dispatch(request, request.method === 'POST' ? withLateCheck(handler, () => this.#mayApply()) : handler);
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

  /** @param mayApply - asked right before a POST is written to its connection */
  guard(mayApply: () => boolean): void {
    this.#mayApply = mayApply;
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #request(options: Parameters<Pool['request']>[0] & { readonly signal: AbortSignal }): Promise<Answer> {
    let answer: Answer;
    try {
      const { statusCode, body } = await this.#dispatcher.request(options);
      answer = { status: statusCode, text: await body.text() };
    } catch (error) {
      throw options.signal.aborted || error instanceof TailwaterError ? error : connectionFailure(error, this.address);
    }
    const problem = notItsOwn(answer);
    if (problem !== undefined)
      throw new TailwaterError(errorCodes.FOREIGN_ANSWER, { target: 'Solr', address: this.address, reason: problem });
    return answer;
  }
}
