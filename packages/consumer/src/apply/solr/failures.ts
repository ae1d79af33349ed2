// What went wrong, as coded errors, told apart by status and error code, never by their text.
import { TailwaterError, tlsFailure } from '@tailwater/runtime';
import { errors } from 'undici';
import { maskReason } from '../mask-reason.js';
import type { Answer } from './http.js';

const TARGET = 'Solr';
const MAX_REASON = 1_000;
/** The answer was not HTTP: https://github.com/nodejs/llhttp */
const NOT_HTTP_CODE = /^HPE_/;
const NOT_HTTP = 'HPE_UNKNOWN';

/** A request without an answer; an error that is not the connection's stays what it is. */
export function connectionFailure(error: unknown, address: string): unknown {
  // Without a code where what answers is not even close: HTTPS, asked in plain text.
  const code =
    codeOf(error) ??
    (error instanceof errors.HTTPParserError ? NOT_HTTP : undefined) ??
    codeOf((error as { cause?: unknown } | undefined)?.cause);
  if (code === undefined) return error;
  const params = { target: TARGET, address };
  const tls = tlsFailure(error);
  if (tls !== undefined) return new TailwaterError('TW1312', { ...params, reason: tls.reason }, { cause: error });
  if (NOT_HTTP_CODE.test(code))
    return new TailwaterError('TW1313', { ...params, reason: `what answers there does not speak plain HTTP (${code})` }, { cause: error });
  return new TailwaterError('TW1301', params, { cause: error });
}

/** A whole request that was refused for a reason other than its documents. */
export function refusal(answer: Answer, core: string, address: string, operation = `write to ${core}`): TailwaterError {
  const { status } = answer;
  const params = { target: TARGET, address, core };
  if (status === 401) return new TailwaterError('TW1302', params);
  if (status === 403) return new TailwaterError('TW1303', { ...params, operation });
  if (status === 404) return new TailwaterError('TW1321', params);
  if (status === 429) return new TailwaterError('TW1311', params);
  const reason = reasonOf(answer);
  if (status === 500) return new TailwaterError('TW1390', { ...params, reason });
  if (status === 408 || status >= 500) return new TailwaterError('TW1310', { ...params, reason });
  return new TailwaterError('TW1313', { ...params, reason });
}

/** What Solr says: `error.msg` of its answer. A proxy's answer has none. */
export function reasonOf({ status, text }: Answer): string {
  const message = (parsed(text) as { error?: { msg?: unknown } } | undefined)?.error?.msg;
  return typeof message === 'string' ? maskReason(message.replace(/\s+/g, ' ').slice(0, MAX_REASON)) : `status ${status}`;
}

/** The JSON of an answer; undefined when it is something else. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return error instanceof Error && typeof code === 'string' ? code : undefined;
}
