// Mistakes are collected and reported together, so that a process need not be started once for each.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';

/** @throws TailwaterError the only problem, or TW1019 with all of them; nothing if there are no problems */
export function throwProblems(problems: readonly TailwaterError[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const list = problems.map(({ code, message }) => `\n  ${code} ${message}`).join('');
  throw new TailwaterError(errorCodes.SEVERAL_MISTAKES, { count: problems.length, list });
}
