// What one producer is doing, for the status server, the terminal and the tests. A session tells of its work as long as it lasts, and until the next one begins.
import type { Position } from '@tailwater/schema';
import type { GapView } from '../backfill/gap/gaps.js';
import type { SweepStatus } from '../backfill/sweep/sweeper.js';
import type { GapRecord, Paused } from '../checkpoint/checkpoint-record.js';
import type { LeadView, Phase } from '../election/lead.js';
import type { QuarantineStatus } from '../quarantine/quarantine.js';

export interface SessionStatus {
  /** The newest position that was handed to Kafka. */
  readonly position: Position;
  /** What is paused. */
  readonly paused: Paused;
  /** Sweeps that are under way or waiting. */
  readonly sweeps: readonly SweepStatus[];
  /** What Kafka did not take, by namespace and reason. */
  readonly quarantine: readonly QuarantineStatus[];
  /** For how long Kafka has had the transaction that is under way, in milliseconds; undefined when everything is committed. */
  readonly publishingMs: number | undefined;
}

export class ProducerState implements LeadView, GapView {
  phase: Phase = 'starting';
  gap: GapRecord | undefined;
  lastError: string | undefined;
  #session: { status(): SessionStatus } | undefined;

  /** Undefined before the first session, and while another producer leads. */
  get session(): SessionStatus | undefined {
    return this.#session?.status();
  }

  /** A session tells of its work from now on. */
  begun(session: { status(): SessionStatus }): void {
    this.#session = session;
  }

  standBy(): void {
    this.phase = 'standby';
    this.#session = undefined;
    this.lastError = undefined;
  }
}
