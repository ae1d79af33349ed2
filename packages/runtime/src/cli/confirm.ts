// Asks before something that cannot be taken back.

import { createInterface } from 'node:readline/promises';
import { option, toggle } from '../config/option.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';

export const yesOption = option(toggle(), { group: 'Output', alias: 'y', describe: 'Do it without asking' });
export const dryRunOption = option(toggle(), { group: 'Output', describe: 'Only show what it would do' });

export interface Confirmation {
  /** `consumer dead-letters discard` */
  readonly command: string;
  /** What happens: `3 dead letters are removed for good` */
  readonly what: string;
  /** Was --yes given? */
  readonly yes: boolean;
}

export interface Terminal {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/**
 * Returns when the user agrees. The question goes to stderr, so that output can be piped.
 *
 * @throws TailwaterError TW1085 without a terminal to ask on, TW1086 when the answer is no
 */
export async function confirm(
  { command, what, yes }: Confirmation,
  signal: AbortSignal,
  { stdin, stderr }: Terminal = { stdin: process.stdin, stderr: process.stderr },
): Promise<void> {
  if (yes) return;
  if (stdin.isTTY !== true || stderr.isTTY !== true) throw new TailwaterError(errorCodes.NOT_CONFIRMED, { command, what });
  const asking = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await asking.question(`${what}. Go on? [y/N] `, { signal });
    if (!/^y(es)?$/i.test(answer.trim())) throw new TailwaterError(errorCodes.DECLINED, { command });
  } finally {
    asking.close();
  }
}
