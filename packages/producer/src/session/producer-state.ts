// What one producer is doing, for its status server: written by the pipeline, read by whoever asks.
import type { Position } from '@tailwater/schema';
import type { SnapshotStatus, SnapshotTotals } from '../backfill/snapshot/snapshot-report.js';
import type { SweepStatus } from '../backfill/sweep/sweeper.js';
import type { GapRecord, Paused } from '../checkpoint/checkpoint-record.js';
import type { ProducerCounts } from '../metrics/producer-metrics.js';
import type { QuarantineStatus } from '../quarantine/quarantine.js';

export type ProducerPhase = 'starting' | 'standby' | 'running' | 'recovering' | 'stopping';

export class ProducerState {
  phase: ProducerPhase = 'starting';
  /** The newest position that was handed to Kafka. */
  position: () => Position | undefined = () => undefined;
  counts: () => ProducerCounts | undefined = () => undefined;
  snapshots: () => { totals: SnapshotTotals; collections: SnapshotStatus[] } | undefined = () => undefined;
  /** Sweeps that are under way or waiting. */
  sweeps: () => SweepStatus[] = () => [];
  /** What Kafka did not take, by namespace and reason. */
  quarantine: () => QuarantineStatus[] = () => [];
  /** What somebody has paused. */
  paused: () => Paused | undefined = () => undefined;
  /** The newest gap, healed or not. */
  gap: GapRecord | undefined;
  /** Why the last session ended, until the next one runs. */
  lastError: string | undefined;

  /** Another producer leads: what this one knew of its own work is history. */
  standBy(): void {
    this.phase = 'standby';
    this.position = () => undefined;
    this.sweeps = () => [];
    this.quarantine = () => [];
    this.lastError = undefined;
  }
}
