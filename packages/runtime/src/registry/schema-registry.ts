// What is needed of a schema registry, over the API that Confluent's has and others imitate: a few requests in a process's life,
// so nothing here is cached, and callers keep the answers. An id never changes its meaning.
// https://docs.confluent.io/platform/current/schema-registry/develop/api.html

import { Agent, type Dispatcher, request } from 'undici';
import { Backoff } from '../async/backoff.js';
import { systemClock } from '../async/clock.js';
import { sleep } from '../async/sleep.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { Logger } from '../logging/logger.js';
import { Outage } from '../logging/outage.js';
import { tlsFailure } from '../tls/tls-failure.js';

export interface RegistrySettings {
  /** Servers of one registry: the next one is asked where one does not answer. A user and password in them are sent too. */
  readonly urls: readonly URL[];
  readonly authorization?: string;
  /** PEM text. */
  readonly ca?: string;
}

interface Answer {
  readonly status: number;
  readonly body: {
    readonly id?: unknown;
    readonly schema?: unknown;
    readonly schemaType?: unknown;
    readonly message?: unknown;
    readonly error_code?: unknown;
  };
}

const TIMEOUT_MS = 10_000;
const CHECK_MS = 15_000;
const CHECK_PAUSE_MS = 250;
const RETRY = { minMs: 200, maxMs: 10_000 };
const HEADERS = {
  'content-type': 'application/vnd.schemaregistry.v1+json',
  accept: 'application/vnd.schemaregistry.v1+json, application/json',
};
const NOT_FOUND = 404;
const LOOKUP_TEXTS = {
  begins: 'The schema registry returns no schemas, asking until it does',
  lasts: 'The schema registry still returns no schemas',
  over: 'The schema registry returns schemas again',
};

export class SchemaRegistry {
  /** For messages: without passwords. */
  readonly address: string;
  readonly #settings: RegistrySettings;
  readonly #agent: Agent;

  constructor(settings: RegistrySettings) {
    this.#settings = settings;
    this.address = settings.urls.map((url) => `${url.origin}${url.pathname.replace(/\/$/, '')}`).join(',');
    this.#agent = new Agent({
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      connect: { timeout: TIMEOUT_MS, ...(settings.ca === undefined ? {} : { ca: settings.ca }) },
    });
  }

  /**
   * Asks whether it is there, again and again for a quarter of a minute.
   *
   * @throws TailwaterError TW1560 no answer, TW1561 no access, TW1563 something else answered
   */
  async check(signal: AbortSignal): Promise<void> {
    for (const deadline = performance.now() + CHECK_MS; ; ) {
      try {
        const { status } = await this.#ask('GET', '/schemas/types', undefined, signal);
        if (status !== 200) throw this.#unexpected(`HTTP ${status} for /schemas/types`);
        return;
      } catch (error) {
        if (signal.aborted || !isRetriable(error) || performance.now() > deadline) throw error;
      }
      await sleep(CHECK_PAUSE_MS, signal);
    }
  }

  /**
   * The id of an Avro schema under a subject: it is registered there unless it is already, and unless the registry's rules of
   * compatibility refuse it.
   *
   * @throws TailwaterError TW1560, TW1561, TW1562 the registry refuses the schema, TW1563
   */
  async register(subject: string, schema: string, signal?: AbortSignal): Promise<number> {
    const path = `/subjects/${encodeURIComponent(subject)}`;
    // Looked up first, which needs no right to write where schemas are registered by others.
    let answer = await this.#ask('POST', path, { schema }, signal);
    if (answer.status === NOT_FOUND) answer = await this.#ask('POST', `${path}/versions`, { schema }, signal);
    const { status, body } = answer;
    if (status === 409 || status === 422) throw new TailwaterError(errorCodes.SCHEMA_NOT_ACCEPTED, { subject, reason: reasonOf(answer) });
    if (status !== 200 || !Number.isInteger(body.id))
      throw this.#unexpected(`HTTP ${status} for the subject ${subject}: ${reasonOf(answer)}`);
    return body.id as number;
  }

  /**
   * The Avro schema of an id; `other` when it is a schema of another kind, undefined if there is no such id.
   *
   * @throws TailwaterError TW1560, TW1561, TW1563
   */
  async schemaOf(id: number, signal?: AbortSignal): Promise<{ readonly avro: string } | 'other' | undefined> {
    const answer = await this.#ask('GET', `/schemas/ids/${id}`, undefined, signal);
    if (answer.status === NOT_FOUND && typeof answer.body.error_code === 'number') return undefined;
    // A proxy's page says nothing of the id.
    if (answer.status === NOT_FOUND) throw this.#unexpected(`HTTP ${NOT_FOUND} that is not a registry’s own, for the id ${id}`);
    const { schema, schemaType = 'AVRO' } = answer.body;
    if (answer.status !== 200 || typeof schema !== 'string')
      throw this.#unexpected(`HTTP ${answer.status} for the id ${id}: ${reasonOf(answer)}`);
    return schemaType === 'AVRO' ? { avro: schema } : 'other';
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #ask(method: Dispatcher.HttpMethod, path: string, body: object | undefined, signal: AbortSignal | undefined): Promise<Answer> {
    let failure: unknown;
    for (const url of this.#settings.urls) {
      try {
        const answer = await this.#askOne(url, method, path, body, signal);
        if (answer.status < 500) return answer;
        failure = new Error(`HTTP ${answer.status}: ${reasonOf(answer)}`);
      } catch (error) {
        if (signal?.aborted || error instanceof TailwaterError) throw error;
        failure = error;
      }
    }
    throw new TailwaterError(
      errorCodes.REGISTRY_UNREACHABLE,
      { address: this.address, reason: failureReason(failure) },
      { cause: failure },
    );
  }

  async #askOne(
    url: URL,
    method: Dispatcher.HttpMethod,
    path: string,
    body: object | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const authorization = this.#settings.authorization ?? authorizationOf(url);
    const response = await request(`${url.origin}${url.pathname.replace(/\/$/, '')}${path}`, {
      method,
      dispatcher: this.#agent,
      headers: { ...HEADERS, ...(authorization === undefined ? {} : { authorization }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await response.body.text();
    const status = response.statusCode;
    if (status === 401 || status === 403) {
      throw new TailwaterError(errorCodes.REGISTRY_ACCESS_DENIED, { address: this.address, operation: `${method} ${path}`, status });
    }
    return { status, body: parse(text) };
  }

  #unexpected(reason: string): TailwaterError {
    return new TailwaterError(errorCodes.NOT_A_REGISTRY, { address: this.address, reason });
  }
}

type Lookup = (id: number, signal: AbortSignal) => ReturnType<SchemaRegistry['schemaOf']>;

/**
 * Looks ids up, however long the registry is away, refuses access, or another server answers in its place; undefined without a
 * registry. What it returns throws what no waiting cures, and when the signal aborts.
 */
export function schemaLookup(registry: SchemaRegistry | undefined, logger: Logger): Lookup | undefined {
  if (registry === undefined) return undefined;
  const outage = new Outage(LOOKUP_TEXTS, logger, systemClock);
  return async (id, signal) => {
    const backoff = new Backoff(RETRY);
    while (true) {
      try {
        const found = await registry.schemaOf(id, signal);
        outage.recovered();
        return found;
      } catch (error) {
        if (signal.aborted || !(error instanceof TailwaterError) || !(error.retriable || error.waitsForOperator)) throw error;
        const delayMs = backoff.next();
        outage.failed(error.message, { code: error.code });
        await sleep(delayMs, signal);
      }
    }
  };
}

/** The header of basic authentication. */
export const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

const isRetriable = (error: unknown): boolean => error instanceof TailwaterError && error.retriable;

function authorizationOf({ username, password }: URL): string | undefined {
  if (username === '') return undefined;
  return basic(decodeURIComponent(username), decodeURIComponent(password));
}

/** Not every proxy in between answers with JSON. */
function parse(text: string): Answer['body'] {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}

const reasonOf = ({ status, body }: Answer): string => (typeof body.message === 'string' ? body.message.slice(0, 500) : `HTTP ${status}`);

function failureReason(error: unknown): string {
  const tls = tlsFailure(error);
  if (tls !== undefined) return tls.reason;
  const { code, message } = error as { code?: string; message?: string };
  return code ?? message ?? String(error);
}
