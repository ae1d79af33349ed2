// Why a change is refused before it has reached a target. Whatever comes out of a topic, it ends no process: so this is said, too, of
// failures that were not foreseen.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { InvalidBsonError } from '@tailwater/schema';

export interface Refusal {
  readonly code: string;
  readonly reason: string;
}

/**
 * What a failure says of a single change, when nothing but that change was looked at.
 *
 * @throws the failure itself, when it is not the change's
 */
export function refusalFor(error: unknown): Refusal {
  if (error instanceof InvalidBsonError) return { code: 'bson', reason: error.message };
  const code = (error as { code?: unknown } | null | undefined)?.code;
  if (error instanceof TailwaterError || code === 'ERR_MEMORY_ALLOCATION_FAILED') throw error;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: errorCodes.CHANGE_NOT_ENCODABLE, reason: new TailwaterError(errorCodes.CHANGE_NOT_ENCODABLE, { reason }).message };
}
