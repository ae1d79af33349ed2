// Where tokens for SASL OAUTHBEARER come from: a file that something else keeps fresh, or a token server that is asked for
// them with this client's id and secret. https://www.rfc-editor.org/rfc/rfc6749#section-4.4

import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { tlsFailure } from '../tls/tls-failure.js';

export interface TokenSource {
  /**
   * A token that is good for a while yet.
   *
   * @throws TailwaterError TW1218 no token now, TW1219 this client gets none
   */
  token(): Promise<string>;
  /** A broker has refused this one: it is not handed out again, unless it is the only one there is. */
  forget(token: string): void;
}

/** What a header can hold; a broker takes nothing else either. */
const TOKEN = /^[!-~]+$/;
const TIMEOUT_MS = 10_000;
/** A new one is asked for when so much of a token's time is over: a token server may then be away for the rest of it. */
const REFRESH_AFTER = 0.8;
/** Of a token that does not say how long it is good. */
const DEFAULT_LIFETIME_MS = 60_000;

/** Read again for each connection, because what writes it does so in its own time. */
export function tokenFile(file: string): TokenSource {
  const token = async () => {
    const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
      throw new TailwaterError(errorCodes.NO_KAFKA_TOKEN, { from: file, reason: cause.code ?? cause.message }, { cause });
    });
    if (!TOKEN.test(text.trim())) throw new TailwaterError(errorCodes.NO_KAFKA_TOKEN, { from: file, reason: 'what it holds is no token' });
    return text.trim();
  };
  return { token, forget: () => {} };
}

export interface TokenServerSettings {
  readonly url: URL;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope?: string | undefined;
  /** PEM text. */
  readonly ca?: string | undefined;
}

interface Held {
  readonly token: string;
  readonly refreshAtMs: number;
  readonly expiresAtMs: number;
}

export class TokenServer implements TokenSource {
  readonly #settings: TokenServerSettings;
  readonly #agent: Agent;
  readonly #now: () => number;
  #held: Held | undefined;
  #asking: Promise<string> | undefined;

  constructor(settings: TokenServerSettings, now: () => number = Date.now) {
    this.#settings = settings;
    this.#now = now;
    // No connection outlives its answer: tokens are asked for rarely, and nothing has to be closed.
    const connect = { timeout: TIMEOUT_MS, ...(settings.ca === undefined ? {} : { ca: settings.ca }) };
    this.#agent = new Agent({ headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS, pipelining: 0, connect });
  }

  async token(): Promise<string> {
    const held = this.#held;
    if (held !== undefined && this.#now() < held.refreshAtMs) return held.token;
    // Several connections that begin at once share one answer.
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    try {
      return await this.#asking;
    } catch (error) {
      if (held !== undefined && held === this.#held && this.#now() < held.expiresAtMs) return held.token;
      throw error;
    }
  }

  forget(token: string): void {
    if (this.#held?.token === token) this.#held = undefined;
  }

  async #ask(): Promise<string> {
    const { status, body } = await this.#post().catch((cause: Error & { code?: string }) => {
      throw this.#none(tlsFailure(cause)?.reason ?? cause.code ?? cause.message, cause);
    });
    if (status >= 400 && status < 500 && status !== 408 && status !== 429) {
      throw new TailwaterError(errorCodes.TOKEN_SERVER_REFUSED, { url: this.#address, reason: refusalOf(status, body) });
    }
    const { access_token: token, expires_in: seconds } = body;
    if (status !== 200) throw this.#none(`HTTP ${status}`);
    if (typeof token !== 'string' || !TOKEN.test(token)) throw this.#none('its answer holds no access_token');
    const lifetimeMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : DEFAULT_LIFETIME_MS;
    const nowMs = this.#now();
    this.#held = { token, refreshAtMs: nowMs + lifetimeMs * REFRESH_AFTER, expiresAtMs: nowMs + lifetimeMs };
    return token;
  }

  async #post(): Promise<{ status: number; body: Record<string, unknown> }> {
    const { url, clientId, clientSecret, scope } = this.#settings;
    const credentials = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
    const response = await request(url, {
      method: 'POST',
      dispatcher: this.#agent,
      headers: {
        authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }).toString(),
    });
    return { status: response.statusCode, body: parse(await response.body.text()) };
  }

  /** Without a query, which may hold secrets. */
  get #address(): string {
    return `${this.#settings.url.origin}${this.#settings.url.pathname}`;
  }

  #none(reason: string, cause?: Error): TailwaterError {
    return new TailwaterError(errorCodes.NO_KAFKA_TOKEN, { from: this.#address, reason }, cause === undefined ? {} : { cause });
  }
}

/** Not every proxy in between answers with JSON. */
function parse(text: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** `invalid_client`, as https://www.rfc-editor.org/rfc/rfc6749#section-5.2 has it. */
const refusalOf = (status: number, { error }: Record<string, unknown>): string =>
  typeof error === 'string' ? `${error.slice(0, 100)}, HTTP ${status}` : `HTTP ${status}`;
