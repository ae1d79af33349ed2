// How far what is applied is behind what is written, in seconds.
import type { Metrics } from '@tailwater/runtime';
import type { AppliedWatch } from '../watermark/applied-watch.js';
import { CONSUMER_METRICS } from './metric-table.js';

/** Namespaces that have a series of their own: those that are behind most. */
const MAX_NAMESPACES = 50;
const ALL = '*';

export function registerWatermark(metrics: Metrics, watch: Pick<AppliedWatch, 'watermarks' | 'lagSeconds'>): void {
  metrics.gauge<'namespace'>({
    ...CONSUMER_METRICS.behind,
    collect: (gauge) => {
      gauge.reset();
      const { lagSeconds } = watch;
      if (lagSeconds !== undefined) gauge.set({ namespace: ALL }, lagSeconds);
      const known = watch.watermarks.flatMap(({ namespace, lagSeconds: seconds }) => (seconds === null ? [] : [{ namespace, seconds }]));
      for (const { namespace, seconds } of known.sort((a, b) => b.seconds - a.seconds).slice(0, MAX_NAMESPACES))
        gauge.set({ namespace }, seconds);
    },
  });
}
