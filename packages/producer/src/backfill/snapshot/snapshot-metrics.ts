// The snapshot's progress as gauges, read at each scrape.
import type { Metrics } from '@tailwater/runtime';
import { PRODUCER_METRICS } from '../../metrics/metric-table.js';
import type { SnapshotReport } from './snapshot-report.js';

export function registerSnapshotMetrics(metrics: Metrics, report: SnapshotReport): void {
  const { snapshotRunning, snapshotDocuments, snapshotTotalDocuments, snapshotDocumentsPerSecond, snapshotEtaSeconds } = PRODUCER_METRICS;
  metrics.gauge({ ...snapshotRunning, collect: (gauge) => gauge.set(Number(report.totals().state === 'running')) });
  metrics.gauge({ ...snapshotDocuments, collect: (gauge) => gauge.set(report.totals().documents) });
  metrics.gauge({ ...snapshotTotalDocuments, collect: (gauge) => gauge.set(report.totals().total) });
  metrics.gauge({ ...snapshotDocumentsPerSecond, collect: (gauge) => gauge.set(report.totals().rate) });
  metrics.gauge({
    ...snapshotEtaSeconds,
    collect: (gauge) => {
      const { etaSeconds } = report.totals();
      if (etaSeconds === undefined) gauge.remove();
      else gauge.set(Math.max(0, etaSeconds));
    },
  });
}
