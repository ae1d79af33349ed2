// What went wrong, as coded errors, told apart by status and error code, never by their text.
import { errorCodes, TailwaterError, tlsFailure } from '@tailwater/runtime';
import { errors } from 'undici';
import { maskReason } from '../mask-reason.js';
import type { Rejection } from '../target.js';
import type { Answer } from './answer.js';

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
  if (tls !== undefined) return new TailwaterError(errorCodes.TARGET_TLS_FAILED, { ...params, reason: tls.reason }, { cause: error });
  if (NOT_HTTP_CODE.test(code))
    return new TailwaterError(
      errorCodes.UNEXPECTED_TARGET_ANSWER,
      { ...params, reason: `what answers there does not speak plain HTTP (${code})` },
      { cause: error },
    );
  return new TailwaterError(errorCodes.TARGET_UNREACHABLE, params, { cause: error });
}

/** A whole request that was refused for a reason other than its documents. */
export function refusal(answer: Answer, core: string, address: string, operation = `write to ${core}`): TailwaterError {
  const { status } = answer;
  const params = { target: TARGET, address, core };
  if (status === 401) return new TailwaterError(errorCodes.TARGET_CREDENTIALS_REFUSED, params);
  if (status === 403) return new TailwaterError(errorCodes.TARGET_ACCESS_DENIED, { ...params, operation });
  if (status === 404) return new TailwaterError(errorCodes.CORE_MISSING, params);
  if (status === 429) return new TailwaterError(errorCodes.TARGET_OVERLOADED, params);
  const reason = reasonOf(answer);
  if (status === 500) return new TailwaterError(errorCodes.TARGET_FAILED_AT_REQUEST, { ...params, reason: `status ${status}, ${reason}` });
  if (status === 408 || status >= 500) return new TailwaterError(errorCodes.TARGET_READ_ONLY, { ...params, reason });
  return new TailwaterError(isItsOwn(answer) ? errorCodes.UNEXPECTED_TARGET_ANSWER : errorCodes.FOREIGN_ANSWER, { ...params, reason });
}

/**
 * Why this did not come from Solr: a success has its header, with the status 0, and a refusal of what was sent says what is wrong with
 * it. Of other statuses it does not matter who answered: none of them puts a document aside.
 */
export function notItsOwn({ status, text }: Answer): string | undefined {
  if (status < 400) {
    const header = (parsed(text) as { responseHeader?: { status?: unknown } } | undefined | null)?.responseHeader;
    return status === 200 && header?.status === 0 ? undefined : `status ${status} without the header of a Solr response`;
  }
  if (status !== 400 && status !== 409) return undefined;
  return isItsOwn({ status, text }) ? undefined : `status ${status} without a word on why`;
}

/** Whether a refusal says in Solr's way why. */
function isItsOwn({ text }: Answer): boolean {
  const error = (parsed(text) as { error?: unknown } | undefined | null)?.error;
  return typeof error === 'object' && error !== null;
}

/** What a failure says of the changes of a core when it is the core that is refused; any other failure is thrown. */
export function coreRefusal(failure: unknown, address: string): Rejection {
  // Not HTTP: of that no document is to blame either.
  if (failure instanceof TailwaterError && failure.code === errorCodes.UNEXPECTED_TARGET_ANSWER && failure.cause !== undefined)
    throw new TailwaterError(errorCodes.FOREIGN_ANSWER, { target: TARGET, address, reason: failure.message }, { cause: failure });
  if (!(failure instanceof TailwaterError) || failure.scope !== 'namespace') throw failure;
  return { status: 'rejected', code: failure.code, reason: failure.message, retriable: true, scope: 'place' };
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
