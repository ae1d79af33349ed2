// A change that cannot be put into a request: it is a refusal, and the others of its batch go on. Whatever comes out of a topic, it ends
// no process; so this holds for failures too that nobody has thought of.
import { TailwaterError } from '@tailwater/runtime';
import { InvalidBsonError } from '@tailwater/schema';

/** Why a change is refused before it has reached a target. */
export interface Refusal {
  readonly code: string;
  readonly reason: string;
}

/** Thrown by a target that was given such a change, for the whole batch: nothing of it was sent. */
export class UnencodableChangeError extends Error {
  override readonly name = 'UnencodableChangeError';
  readonly code: string;

  constructor(cause: unknown) {
    const { code, reason } = refusalFor(cause);
    super(reason, { cause });
    this.code = code;
  }
}

/**
 * What a failure at a single change, while nothing but its bytes was looked at, says of it.
 *
 * @throws the failure itself, when it is not the change's
 */
export function refusalFor(error: unknown): Refusal {
  if (error instanceof InvalidBsonError) return { code: 'bson', reason: error.message };
  if (error instanceof UnencodableChangeError) return { code: error.code, reason: error.message };
  const code = (error as { code?: unknown } | null | undefined)?.code;
  if (error instanceof TailwaterError || code === 'ERR_MEMORY_ALLOCATION_FAILED') throw error;
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return { code: 'TW1377', reason: new TailwaterError('TW1377', { reason }).message };
}
