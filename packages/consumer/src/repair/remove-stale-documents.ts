// Removes from a place at the target what its topics do not have: documents whose deletes were missed. The group stands still
// meanwhile: what is alive by the topics' ends and not there yet comes when it goes on, and what is there came from before.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import type { Place } from './expected-documents.js';

export interface StaleDocumentsReport {
  readonly place: string;
  /** Documents that the target holds. */
  readonly documents: number;
  /** Documents that the topics have. */
  readonly living: number;
  /** Documents at the target that the topics do not have. */
  readonly stray: number;
  readonly removed: number;
  /** Ids of the first of those. */
  readonly examples: readonly string[];
}

export interface RemoveOptions {
  readonly dryRun: boolean;
  /** Whether more than half of what the target holds may go. */
  readonly allowMost: boolean;
  /** Throws when a consumer applies changes. */
  readonly assertNoMembers: () => Promise<void>;
  readonly signal: AbortSignal;
}

const MAX_SHARE = 0.5;
const EXAMPLES = 5;

/**
 * Of the ids that are looked at in this pass. They are a fair sample of all, so that the first pass tells, before anything is removed, when too much would go.
 *
 * @throws TailwaterError TW1392 when most of what the target holds would go, and that is not allowed; TW1353 when a consumer was started
 */
export async function removeStaleDocuments(place: Place, options: RemoveOptions): Promise<StaleDocumentsReport> {
  const { inventory, expected } = place;
  const { dryRun, allowMost, signal } = options;
  const examples: string[] = [];
  let [documents, stray, removed] = [0, 0, 0];
  for await (const held of inventory.scan(signal)) {
    signal.throwIfAborted();
    for (const { id } of held) {
      const isExpected = expected.has(id);
      if (isExpected !== undefined) documents += 1;
      if (isExpected !== false) continue;
      stray += 1;
      if (examples.length < EXAMPLES) examples.push(id);
    }
  }
  const report = { place: inventory.place, documents, living: expected.size, stray, examples };
  if (dryRun || stray === 0) return { ...report, removed };
  if (!allowMost && stray > documents * MAX_SHARE) {
    throw new TailwaterError(errorCodes.TOO_MANY_REMOVALS, { count: stray, total: documents, place: inventory.place });
  }
  // Looked through again, instead of keeping the ids: there may be millions.
  for await (const held of inventory.scan(signal)) {
    signal.throwIfAborted();
    const gone = held.filter(({ id }) => expected.has(id) === false);
    if (gone.length === 0) continue;
    await options.assertNoMembers();
    removed += await inventory.remove(gone, signal);
  }
  return { ...report, removed };
}

/** Two passes over one place. */
export function bothOf(one: StaleDocumentsReport, other: StaleDocumentsReport): StaleDocumentsReport {
  return {
    place: one.place,
    documents: one.documents + other.documents,
    living: one.living + other.living,
    stray: one.stray + other.stray,
    removed: one.removed + other.removed,
    examples: [...one.examples, ...other.examples].slice(0, EXAMPLES),
  };
}
