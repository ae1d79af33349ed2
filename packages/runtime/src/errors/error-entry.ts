// What the catalogue says about one error.

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
}

/** Exit codes: https://tldp.org/LDP/abs/html/exitcodes.html for 2, the rest is ours. */
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
