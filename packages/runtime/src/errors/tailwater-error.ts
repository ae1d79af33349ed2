// The one error class that users meet. Its text is redacted as it is made, so it can go to a log, a page or a terminal.
import { type ErrorCode, errorCatalogue } from './catalogue.js';
import type { ErrorEntry, ErrorScope } from './error-entry.js';
import { redact } from './redact.js';

export type ErrorParams = Readonly<Record<string, string | number>>;

/**
 * An error with a stable code. Compare `code`, never the text.
 *
 * @example throw new TailwaterError('TW1101', { address: redactAddress(uri) }, { cause: error });
 */
export class TailwaterError extends Error {
  override readonly name = 'TailwaterError';
  readonly code: ErrorCode;
  /** What to do, in full sentences. */
  readonly hint: string;
  /** Whether trying again later can succeed without anyone changing anything. */
  readonly retriable: boolean;
  /** The process's exit code when this error ends it. */
  readonly exitCode: number;

  /** @param params - the values of the placeholders in the catalogue's message and hint */
  constructor(code: ErrorCode, params: ErrorParams, options?: { cause?: unknown }) {
    const entry: ErrorEntry = errorCatalogue[code];
    super(redact(fill(entry.message, params)), options);
    this.code = code;
    this.hint = redact(fill(entry.hint, params));
    this.retriable = entry.retriable;
    this.exitCode = entry.exitCode;
  }

  /** How much the error is about; undefined where it alone does not decide what else goes on. */
  get scope(): ErrorScope | undefined {
    return errorCatalogue[this.code].scope;
  }

  /** Whether a process that runs waits until an operator has corrected it. */
  get waitsForOperator(): boolean {
    return errorCatalogue[this.code].waitsForOperator === true;
  }
}

/** A placeholder without a parameter stays as it is: visible, and no second error while the first is being made. */
function fill(template: string, params: ErrorParams): string {
  return template.replace(/\{(\w+)\}/g, (placeholder, name: string) => (Object.hasOwn(params, name) ? String(params[name]) : placeholder));
}
