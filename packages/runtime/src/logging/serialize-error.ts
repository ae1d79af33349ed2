// An error as a log line holds it. An error with a code says all in its text; only one without a code needs its stack.
import { causeChain } from '../errors/render-error.js';
import { TailwaterError } from '../errors/tailwater-error.js';

interface SerializedError {
  readonly type: string;
  readonly message: string;
  readonly code?: string | number;
  readonly hint?: string;
  readonly causes?: readonly string[];
  readonly stack?: string;
}

/** pino's `err` serializer. Values that are no errors pass unchanged. */
export function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const causes = causeChain(error);
  const code = 'code' in error && (typeof error.code === 'string' || typeof error.code === 'number') ? error.code : undefined;
  const serialized: SerializedError = {
    type: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(error instanceof TailwaterError ? { hint: error.hint } : {}),
    ...(causes.length === 0 ? {} : { causes }),
    ...(error instanceof TailwaterError || error.stack === undefined ? {} : { stack: error.stack }),
  };
  return serialized;
}
