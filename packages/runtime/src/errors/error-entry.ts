// What the catalogue says about one error.

/**
 * How much an error is about. `document`: a request was refused as a whole, and one of its documents may be to blame. `namespace`: one
 * namespace, its topic, or its place at the target; the others go on. `target`: the whole target; nothing can be written anywhere.
 */
export type ErrorScope = 'document' | 'namespace' | 'target';

export interface ErrorEntry {
  /** `TW` and four digits; they never change. */
  readonly code: `TW${number}`;
  /** A few words for the table in docs/errors.md. */
  readonly title: string;
  /** The sentence a user reads; `{name}` stands for the parameter of that name. */
  readonly message: string;
  /** What to do about it. */
  readonly hint: string;
  /** Whether trying again later can succeed without anyone changing anything. */
  readonly retriable: boolean;
  /** The process's exit code when this error ends it: 2 for what the user typed or configured, 1 for the rest. */
  readonly exitCode: 1 | 2;
  /** Absent where the error alone does not decide what else goes on. */
  readonly scope?: ErrorScope;
  /** It ends a process that starts. One that runs waits until an operator has corrected it: no record is to blame. */
  readonly waitsForOperator?: true;
}

/** Exit codes: https://tldp.org/LDP/abs/html/exitcodes.html for 2, the rest is ours. */
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
