// What every process says of itself beside its work: which release it is, and whether it does its work.
import { ownVersion } from '../text/version.js';
import type { MetricDeclaration } from './metric-table.js';
import type { Metrics } from './metrics.js';

export const BUILD_INFO = {
  kind: 'gauge',
  name: 'tailwater_build_info',
  help: 'Always 1; the labels say which release runs, on which Node',
  labels: ['version', 'node'],
} as const satisfies MetricDeclaration;

export const READY = {
  kind: 'gauge',
  name: 'tailwater_ready',
  help: '1 while `/readyz` answers 200: the process does its work, or stands by; else 0',
} as const satisfies MetricDeclaration;

/** @param isReady - what /readyz answers */
export function registerProcess(metrics: Metrics, isReady: () => boolean): void {
  metrics.gauge<'version' | 'node'>(BUILD_INFO).set({ version: ownVersion(), node: process.version }, 1);
  metrics.gauge({ ...READY, collect: (gauge) => gauge.set(isReady() ? 1 : 0) });
}
