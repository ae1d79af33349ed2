// A change on its way through the apply stage.
import type { Change } from '../changes/change.js';
import type { FetchedRecord } from '../subscribe/subscription.js';

/**
 * How a change ended. `deadLettered`: it is in the dead-letter topic, which the broker has acknowledged. `returned` means that it was not applied here, because its partition was given back first; whoever
 * owns the partition now reads it again.
 */
export type Outcome = 'applied' | 'superseded' | 'deadLettered' | 'skipped' | 'returned';

export interface Delivery {
  readonly change: Change;
  /** The record that it came from, as a dead letter keeps it. */
  readonly record: FetchedRecord;
  /** What it holds in memory, in bytes. */
  readonly bytes: number;
  /** True once its partition was given back: it must not be applied any more. */
  readonly revoked: boolean;
  /** Called once, when it is known how the change ended. */
  settle(outcome: Outcome): void;
}
