// What the status server says about a running producer.
import type { Health } from '@tailwater/runtime';
import type { HeadroomWatch } from '../headroom/headroom-watch.js';
import type { ProducerState } from '../producer-state.js';
import type { MongoSource } from '../source/mongo/connect.js';

/** Ready: the pipeline runs, or stands by, which is its work then. While it recovers, what it recovers from is the reason that it is not. */
export function readiness(state: ProducerState): Health {
  if (state.phase === 'running' || state.phase === 'standby') return { ready: true, reasons: [] };
  return { ready: false, reasons: [state.lastError ?? `the pipeline is ${state.phase}`] };
}

export async function describeState(state: ProducerState, source: MongoSource, watch: HeadroomWatch): Promise<object> {
  const oplog = await watch.measure().catch(() => undefined);
  return {
    phase: state.phase,
    replicaSet: source.replicaSet,
    mongodb: source.version,
    position: state.position()?.toString() ?? null,
    lagSeconds: oplog?.lagSeconds ?? null,
    oplog: oplog ?? null,
    counts: state.counts() ?? null,
    snapshot: (state.phase === 'standby' ? undefined : state.snapshots()) ?? null,
    paused: state.paused() ?? null,
    sweeps: state.sweeps(),
    quarantine: state.quarantine(),
    gap: state.gap ?? null,
    lastError: state.lastError ?? null,
  };
}
