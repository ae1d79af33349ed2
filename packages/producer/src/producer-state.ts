// What one producer is doing, for its status server: written by the pipeline, read by whoever asks.
import type { Position } from '@tailwater/schema';
import type { ProducerCounts } from './producer-metrics.js';
import type { SnapshotStatus, SnapshotTotals } from './snapshot/snapshot-report.js';

export type ProducerPhase = 'starting' | 'running' | 'recovering' | 'stopping';

export class ProducerState {
  phase: ProducerPhase = 'starting';
  /** The newest position that was handed to Kafka. */
  position: () => Position | undefined = () => undefined;
  counts: () => ProducerCounts | undefined = () => undefined;
  snapshots: () => { totals: SnapshotTotals; collections: SnapshotStatus[] } | undefined = () => undefined;
  /** Why the last session ended, until the next one runs. */
  lastError: string | undefined;
}
