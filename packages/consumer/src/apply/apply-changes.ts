// What the transform stage made of a batch, put to the target: a refused change does not reach it, and one that became several
// documents ends as the worst of them does. Trying such a change again applies all of them again, which is harmless (promise D).
import type { Change } from '../changes/change.js';
import type { ChangeResult, Target } from '../targets/target.js';

/** As `target.applyBatch`, for changes as they come from the transform stage. */
export async function applyChanges(target: Target, changes: readonly Change[], signal: AbortSignal): Promise<readonly ChangeResult[]> {
  if (changes.every(isPlain)) return target.applyBatch(changes, signal);
  const sent = changes.flatMap((change) => (change.refusal === undefined ? [change, ...(change.parts ?? [])] : []));
  const results = sent.length === 0 ? [] : await target.applyBatch(sent, signal);
  let next = 0;
  return changes.map(({ refusal, parts }) => {
    if (refusal !== undefined) return { status: 'rejected', ...refusal, retriable: false };
    const ofChange = results.slice(next, next + 1 + (parts?.length ?? 0));
    next += ofChange.length;
    return ofChange.reduce((worst, result) => (badness(result) > badness(worst) ? result : worst));
  });
}

const isPlain = ({ refusal, parts }: Change): boolean => refusal === undefined && parts === undefined;

/** A refusal for good counts most: trying again could not help it. */
function badness(result: ChangeResult): number {
  if (result.status === 'rejected') return result.retriable ? 2 : 3;
  return result.status === 'applied' ? 1 : 0;
}
