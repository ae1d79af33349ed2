// A change on its way through the apply stage.
import type { Change } from '../change.js';

/**
 * How a change ended: `returned` means that it was not applied here, because its partition was given back first; whoever
 * owns the partition now reads it again.
 */
export type Outcome = 'applied' | 'superseded' | 'returned';

export interface Delivery {
  readonly change: Change;
  /** What it holds in memory, in bytes. */
  readonly bytes: number;
  /** True once its partition was given back: it must not be applied any more. */
  readonly revoked: boolean;
  /** Called once, when it is known how the change ended. */
  settle(outcome: Outcome): void;
}
