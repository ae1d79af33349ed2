// Mistakes are collected and reported together, so that nobody has to start a process once for each.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';

/** @throws TailwaterError the only problem, or TW1019 with all of them; nothing when there is none */
export function throwProblems(problems: readonly TailwaterError[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  const list = problems.map(({ code, message }) => `\n  ${code} ${message}`).join('');
  throw new TailwaterError(errorCodes.SEVERAL_MISTAKES, { count: problems.length, list });
}
