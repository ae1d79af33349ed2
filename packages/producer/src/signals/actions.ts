// What is done for each kind of signal. An action does what can be done before the note of it, and returns what takes place with the note, when that is its turn.
import type { Logger } from '@tailwater/runtime';
import type { Refresher } from '../backfill/refresh/refresher.js';
import type { Snapshotter } from '../backfill/snapshot/snapshotter.js';
import type { Sweeper } from '../backfill/sweep/sweeper.js';
import type { TrackedNamespace } from '../changes/change-batch.js';
import { type CheckpointMessage, NOTHING_PAUSED, type Paused, pausedMessage } from '../checkpoint/checkpoint-record.js';
import type { Pauses } from '../writer/pauses.js';
import type { Signal } from './signal.js';

export interface ActionContext {
  readonly namespaceOf: (name: string) => TrackedNamespace;
  readonly snapshotter: Pick<Snapshotter, 'restart'>;
  readonly sweeper: Pick<Sweeper, 'adopt'>;
  readonly refresher: Pick<Refresher, 'refresh'>;
  readonly pauses: Pauses;
  /** Whether a resume is among the signals that were read and not done. */
  readonly isResumeAhead: () => boolean;
  /** The source's name in checkpoints. */
  readonly source: string;
  readonly logger: Logger;
}

type Effect = () => CheckpointMessage[];
type Kind = Signal['kind'];
type Action<K extends Kind> = (asked: Extract<Signal, { kind: K }>, context: ActionContext, signal: AbortSignal) => Promise<Effect>;

const ACTIONS: { readonly [K in Kind]: Action<K> } = {
  snapshot: async ({ namespace }, { snapshotter, namespaceOf }) => {
    return () => [snapshotter.restart(namespaceOf(namespace), true)];
  },
  reconcile: async (asked, { snapshotter, sweeper, namespaceOf }) => {
    const namespace = namespaceOf(asked.namespace);
    return () => [sweeper.adopt(namespace, 'reconcile'), snapshotter.restart(namespace, true)];
  },
  refresh: async ({ id, namespace, ids }, { refresher, namespaceOf, logger }, signal) => {
    const refreshed = await refresher.refresh(namespaceOf(namespace), ids, signal);
    logger.info({ id, namespace, ...refreshed }, 'Documents were refreshed');
    return () => [];
  },
  pause: async ({ tail }, context) => setPaused({ snapshots: true, tail }, context),
  resume: async (_, context) => setPaused(NOTHING_PAUSED, context),
};

/** @param signal - aborted, the action rejects, and is done again after the next start */
export function act<K extends Kind>(asked: Extract<Signal, { kind: K }>, context: ActionContext, signal: AbortSignal): Promise<Effect> {
  return (ACTIONS[asked.kind as K] as Action<K>)(asked, context, signal);
}

function setPaused(paused: Paused, { pauses, isResumeAhead, source }: ActionContext): Effect {
  return () => {
    // A resume that was read already has ended this pause: what stands between them in line may wait for the tail.
    if (!isResumeAhead()) pauses.set(paused);
    return [pausedMessage(source, paused)];
  };
}
