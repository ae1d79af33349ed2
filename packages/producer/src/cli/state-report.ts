// What the status server says about a running producer.
import type { Health } from '@tailwater/runtime';
import type { ProducerState } from '../producer-state.js';
import type { MongoSource } from '../source/mongo/connect.js';
import { readOplogWindow } from '../source/oplog/oplog-window.js';

/** Ready: the pipeline runs, or stands by, which is its work then. While it recovers, what it recovers from is the reason that it is not. */
export function readiness(state: ProducerState): Health {
  if (state.phase === 'running' || state.phase === 'standby') return { ready: true, reasons: [] };
  return { ready: false, reasons: [state.lastError ?? `the pipeline is ${state.phase}`] };
}

export async function describeState(state: ProducerState, source: MongoSource): Promise<object> {
  const position = state.position();
  const window = await readOplogWindow(source.client).catch(() => undefined);
  return {
    phase: state.phase,
    replicaSet: source.replicaSet,
    mongodb: source.version,
    position: position?.toString() ?? null,
    lagSeconds: position === undefined || window === undefined ? null : Math.max(0, window.newest.t - position.t),
    oplog:
      window === undefined
        ? null
        : {
            oldest: window.oldest.toString(),
            newest: window.newest.toString(),
            windowSeconds: window.newest.t - window.oldest.t,
            headroomSeconds: position === undefined ? null : position.t - window.oldest.t,
            usedBytes: window.usedBytes,
            maxBytes: window.maxBytes,
          },
    counts: state.counts() ?? null,
    snapshot: (state.phase === 'standby' ? undefined : state.snapshots()) ?? null,
    lastError: state.lastError ?? null,
  };
}
