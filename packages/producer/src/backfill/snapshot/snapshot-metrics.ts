// The snapshot's progress as gauges, read when somebody asks.
import type { Metrics } from '@tailwater/runtime';
import type { SnapshotReport, SnapshotTotals } from './snapshot-report.js';

const GAUGES: Readonly<Record<string, readonly [help: string, value: (totals: SnapshotTotals) => number]>> = {
  running: ['1 while collections are copied or wait for their turn', ({ state }) => Number(state === 'running')],
  documents: ['Documents copied of all collections that were asked for', ({ documents }) => documents],
  total_documents: ['Documents that these collections have, estimated until they are copied', ({ total }) => total],
  documents_per_second: ['Documents copied a second, lately', ({ rate }) => rate],
  eta_seconds: [
    'Seconds until the snapshot is done at that rate; NaN while nothing is copied',
    ({ etaSeconds }) => etaSeconds ?? Number.NaN,
  ],
};

export function registerSnapshotMetrics(metrics: Metrics, report: SnapshotReport): void {
  for (const [name, [help, value]] of Object.entries(GAUGES)) {
    metrics.gauge({ name: `tailwater_producer_snapshot_${name}`, help, collect: (gauge) => gauge.set(value(report.totals())) });
  }
}
