// What the status server says about a running producer.
import type { Health } from '@tailwater/runtime';
import type { SnapshotReport } from '../backfill/snapshot/snapshot-report.js';
import type { CommitPointWatch } from '../headroom/commit-point-watch.js';
import type { HeadroomWatch } from '../headroom/headroom-watch.js';
import type { ProducerMetrics } from '../metrics/producer-metrics.js';
import type { ProducerState } from '../session/producer-state.js';
import type { MongoSource } from '../source/mongo/connect.js';
import type { SourceHealth } from '../source/mongo/source-health.js';

export interface Sights {
  readonly state: ProducerState;
  readonly metrics: ProducerMetrics;
  readonly report: SnapshotReport;
  readonly health: SourceHealth;
  readonly commitPoint: CommitPointWatch;
  readonly headroom: HeadroomWatch;
}

/** Ready: what is written is published, or the producer stands by, which is its work then. */
export function readiness({ state, health, commitPoint }: Pick<Sights, 'state' | 'health' | 'commitPoint'>): Health {
  if (state.phase === 'standby') return { ready: true, reasons: [] };
  const reasons: string[] = [];
  if (health.trouble !== undefined) reasons.push(`MongoDB cannot be read: ${health.trouble.reason}`);
  else if (state.phase !== 'running') reasons.push(state.lastError ?? `the pipeline is ${state.phase}`);
  if (commitPoint.heldBack !== undefined) reasons.push(commitPoint.heldBack.reason);
  return { ready: reasons.length === 0, reasons };
}

/** No server is asked for it, so that it can be had whatever is down: what the watches saw last has its age. */
export function describeState({ state, metrics, report, health, commitPoint, headroom }: Sights, source: MongoSource): object {
  const { session } = state;
  const position = session?.position;
  const { trouble } = health;
  return {
    phase: state.phase,
    replicaSet: source.replicaSet,
    mongodb: source.version,
    position: position?.toString() ?? null,
    lagSeconds: commitPoint.lagSeconds(position) ?? null,
    heldBackSeconds: commitPoint.heldBackSeconds,
    source: {
      answeredSecondsAgo: commitPoint.ageSeconds,
      trouble: trouble === undefined ? null : { reason: trouble.reason, seconds: Math.round((performance.now() - trouble.sinceMs) / 1000) },
    },
    oplog: headroom.last ?? null,
    counts: metrics.counts(),
    snapshot: state.phase === 'standby' ? null : { totals: report.totals(), collections: report.collections() },
    paused: session?.paused ?? null,
    sweeps: session?.sweeps ?? [],
    quarantine: session?.quarantine ?? [],
    gap: state.gap ?? null,
    lastError: state.lastError ?? null,
  };
}
