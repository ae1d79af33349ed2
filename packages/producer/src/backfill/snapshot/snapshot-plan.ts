// Which collections are copied because the producer starts. What signals, gaps and renames ask for comes on top.

import type { TrackedNamespace } from '../../changes/change-batch.js';
import { type Checkpoint, type CheckpointMessage, type SnapshotProgress, snapshotMessage } from '../../checkpoint/checkpoint-record.js';

export const SNAPSHOT_MODES = ['initial', 'when-needed', 'always', 'never'] as const;
export type SnapshotMode = (typeof SNAPSHOT_MODES)[number];

/** The record of a copy that is to begin anew. */
export const unstartedCopy = (isAsked: boolean): SnapshotProgress => ({
  state: 'running',
  ranges: null,
  documents: 0,
  total: 0,
  startedAtMs: Date.now(),
  finishedAtMs: null,
  isAsked,
});

/** One process's plan: sessions come and go, but the process starts once. */
export class SnapshotPlan {
  readonly #mode: SnapshotMode;
  #isStarted = false;

  constructor(mode: SnapshotMode) {
    this.#mode = mode;
  }

  /**
   * What a first start notes in one transaction with the position that the tail begins at, and the checkpoint that makes. Where a
   * later start copies no collection that is new to it, those of the first one must be known, also to a start behind a crash.
   */
  begin(checkpoint: Checkpoint, collections: readonly TrackedNamespace[], source: string): [Checkpoint, CheckpointMessage[]] {
    if (this.#mode !== 'when-needed') return [checkpoint, []];
    const snapshots = new Map(collections.map(({ name }): [string, SnapshotProgress] => [name, unstartedCopy(false)]));
    const messages = [...snapshots].map(([name, progress]) => snapshotMessage(source, name, progress));
    return [{ ...checkpoint, snapshots }, messages];
  }

  /** The collections whose copies begin anew; to be noted in the checkpoint before `started` is called. */
  anew(collections: readonly TrackedNamespace[]): readonly TrackedNamespace[] {
    return this.#mode === 'always' && !this.#isStarted ? collections : [];
  }

  started(): void {
    this.#isStarted = true;
  }

  /** The collections that a session copies, or goes on copying, unless their copy is finished. */
  requested(collections: readonly TrackedNamespace[], { snapshots }: Checkpoint): readonly TrackedNamespace[] {
    switch (this.#mode) {
      case 'never':
        return collections.filter(({ name }) => snapshots.get(name)?.isAsked === true);
      case 'when-needed':
        return collections.filter(({ name }) => snapshots.has(name));
      default:
        return collections;
    }
  }
}
