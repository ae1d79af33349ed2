// Applies dead letters again, through the same stages as a record from its topic. What is applied, or has been superseded
// meanwhile, is removed only afterwards: a `kill -9` in between leaves a letter that the next retry finds superseded or applies again.
//
// There may be any number of letters, of any size: they are read twice, as a stream, and no more than a portion is held.
import type { Logger } from '@tailwater/runtime';
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace, type SchemaIds } from '@tailwater/schema';
import { applyBatch } from '../apply/apply-batch.js';
import type { RetryPolicy } from '../apply/apply-hooks.js';
import type { Delivery, Outcome } from '../apply/delivery.js';
import type { Change } from '../changes/change.js';
import { decodeRecord, UndecodableRecordError } from '../decode/decode-record.js';
import type { FetchedRecord } from '../subscribe/subscription.js';
import type { Target } from '../targets/target.js';
import type { Transform } from '../transform/transform.js';
import type { DeadLetter } from './dead-letter.js';
import type { NewestRecords } from './kafka-newest-records.js';

/** `refused`, `gone` and `remade` letters stay, the others are removed. */
export interface RetryResult {
  readonly id: string;
  readonly outcome: 'applied' | 'superseded' | 'filtered' | 'refused' | 'gone' | 'remade';
  /** Why it stays, when more than its outcome is to be said. */
  readonly reason?: string;
}

export interface RetryParts {
  readonly target: Target;
  readonly transform: Transform;
  readonly schemas: SchemaIds;
  readonly namespaceOf: (topic: string) => Namespace;
  /** Reads the letters, the same ones each time. */
  readonly deadLetters: () => AsyncIterable<DeadLetter>;
  readonly newest: Pick<NewestRecords, 'expect' | 'update' | 'statusOf'>;
  /** Throws when a consumer applies changes and the target does not compare versions. */
  readonly assertNoMembers: () => Promise<void>;
  readonly remove: (ids: readonly string[]) => Promise<void>;
  readonly onResult: (result: RetryResult) => Promise<void>;
  readonly logger: Logger;
}

/** Letters of these outcomes are still there. */
export const STAYS_A_DEAD_LETTER: ReadonlySet<RetryResult['outcome']> = new Set(['refused', 'gone', 'remade']);
const REMADE = 'its topic was recreated since, and read from its beginning: the letter may be older than the document; discard it';

/** Few enough that little time passes between looking for newer records and applying. */
const PORTION = 200;
const PORTION_BYTES = 8 * 1024 * 1024;
const RETRY: RetryPolicy = { minMs: 100, maxMs: 5_000, giveUpAfterMs: 60_000, poisonAfterMs: 2_000 };

/**
 * @throws TailwaterError TW1356, before anything is applied, when a letter would go to another name than when it was refused;
 *   TW1350 when the target takes nothing for a minute
 */
export async function retryDeadLetters(parts: RetryParts, signal: AbortSignal): Promise<void> {
  for await (const deadLetter of parts.deadLetters()) {
    if (deadLetter.record.value !== null) await parts.schemas.learn(deadLetter.record.value, signal);
    plan(deadLetter, parts);
    parts.newest.expect(deadLetter);
  }
  await parts.newest.update(signal);
  for await (const portion of portions(parts.deadLetters(), parts)) {
    if (signal.aborted) return;
    await parts.assertNoMembers();
    await parts.newest.update(signal);
    const ended = await retryPortion(portion, parts, signal);
    await parts.remove(ended.filter(({ outcome }) => !STAYS_A_DEAD_LETTER.has(outcome)).map(({ id }) => id));
    for (const result of ended) await parts.onResult(result);
  }
}

/** A letter and what it comes to: a change, nothing, or the reason why it still cannot be read. */
interface Planned {
  readonly deadLetter: DeadLetter;
  readonly change: Change | undefined;
  readonly unreadable?: string;
}

function plan(deadLetter: DeadLetter, { transform, schemas, namespaceOf }: RetryParts): Planned {
  const { topic, partition, record, destination } = deadLetter;
  let decoded: Change | undefined;
  try {
    decoded = decodeRecord(record, { topic, partition, namespace: namespaceOf(topic) }, schemas);
  } catch (error) {
    if (error instanceof UndecodableRecordError) return { deadLetter, change: undefined, unreadable: error.message };
    throw error;
  }
  const change = decoded === undefined ? undefined : transform(decoded);
  const actual = change === undefined ? undefined : formatNamespace(change.namespace);
  if (destination !== undefined && actual !== undefined && actual !== destination) {
    throw new TailwaterError(errorCodes.DEAD_LETTER_OF_OTHER_NAME, { id: deadLetter.id, destination, actual });
  }
  return { deadLetter, change };
}

async function* portions(deadLetters: AsyncIterable<DeadLetter>, parts: RetryParts): AsyncGenerator<Planned[]> {
  let portion: Planned[] = [];
  let bytes = 0;
  for await (const deadLetter of deadLetters) {
    const size = deadLetter.record.value?.length ?? 0;
    if (portion.length > 0 && (portion.length >= PORTION || bytes + size > PORTION_BYTES)) {
      yield portion;
      [portion, bytes] = [[], 0];
    }
    portion.push(plan(deadLetter, parts));
    bytes += size;
  }
  if (portion.length > 0) yield portion;
}

async function retryPortion(portion: readonly Planned[], parts: RetryParts, signal: AbortSignal): Promise<RetryResult[]> {
  const results: RetryResult[] = [];
  const deliveries: DeadLetterDelivery[] = [];
  for (const { deadLetter, change, unreadable } of portion) {
    const { id, record } = deadLetter;
    const stands = parts.newest.statusOf(deadLetter);
    if (stands === 'remade') results.push({ id, outcome: stands, reason: REMADE });
    else if (stands !== 'newest') results.push({ id, outcome: stands });
    else if (unreadable !== undefined) results.push({ id, outcome: 'refused', reason: unreadable });
    else if (change === undefined) results.push({ id, outcome: 'filtered' });
    else deliveries.push(new DeadLetterDelivery(id, change, record));
  }
  await apply(deliveries, parts, signal);
  for (const delivery of deliveries) results.push(...delivery.results());
  return results;
}

class DeadLetterDelivery implements Delivery {
  readonly id: string;
  readonly change: Change;
  readonly record: FetchedRecord;
  readonly revoked = false;
  reason = '';
  #outcome: Outcome = 'returned';

  constructor(id: string, change: Change, record: FetchedRecord) {
    this.id = id;
    this.change = change;
    this.record = record;
  }

  get bytes(): number {
    return this.change.document.length + (this.change.file?.content?.length ?? 0);
  }

  settle(outcome: Outcome): void {
    this.#outcome = outcome;
  }

  /** None when it was interrupted: it is as it was. */
  results(): RetryResult[] {
    const outcome = this.#outcome;
    if (outcome === 'applied' || outcome === 'superseded') return [{ id: this.id, outcome }];
    return outcome === 'skipped' ? [{ id: this.id, outcome: 'refused', reason: this.reason }] : [];
  }
}

async function apply(deliveries: readonly DeadLetterDelivery[], { target, logger }: RetryParts, signal: AbortSignal): Promise<void> {
  if (deliveries.length === 0) return;
  const reasons = new Map<Delivery, DeadLetterDelivery>(deliveries.map((each) => [each, each]));
  await applyBatch(
    target,
    deliveries,
    RETRY,
    {
      onRequest: () => undefined,
      // A letter that the target fails at again stays a letter: nothing is lost, whatever the cause.
      acceptedWrites: { record: () => undefined, hasSince: () => true },
      onRetry: ({ code, reason }) => logger.warn({ code }, `The target does not accept changes, trying again: ${reason}`),
      onRejected: (delivery, { reason }) => {
        const refused = reasons.get(delivery);
        if (refused !== undefined) refused.reason = reason;
        return 'skipped';
      },
    },
    { giveUp: signal, cut: signal },
  );
}
