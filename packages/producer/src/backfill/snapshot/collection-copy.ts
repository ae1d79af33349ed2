// One collection's copy under way: its ranges, each with one worker at a time, and the progress that describes them all.

import type { TrackedNamespace } from '../../changes/change-batch.js';
import type { SnapshotProgress, SnapshotRange } from '../../checkpoint/checkpoint-record.js';

export class CollectionCopy {
  readonly namespace: TrackedNamespace;
  /** The collection is no longer the one that this copy began with, or a new copy has replaced this one. */
  isVoid = false;
  #progress: SnapshotProgress;
  readonly #left: Map<number, SnapshotRange>;
  readonly #waiting: number[];

  /** @param progress - divided into ranges */
  constructor(namespace: TrackedNamespace, progress: SnapshotProgress) {
    this.namespace = namespace;
    this.#progress = progress;
    this.#left = new Map((progress.ranges ?? []).entries());
    this.#waiting = [...this.#left.keys()];
  }

  get progress(): SnapshotProgress {
    return this.#progress;
  }

  /** Nothing of it is copied, and it is not divided. */
  get isUntouched(): boolean {
    const { documents, ranges } = this.#progress;
    const [range, second] = ranges ?? [];
    const isWhole = second === undefined && range?.from === null && range.lastId === null && range.to === null;
    return isWhole && documents === 0 && this.namespace.chunks === undefined;
  }

  /** A range that is not being copied yet. */
  take(): number | undefined {
    return this.isVoid ? undefined : this.#waiting.shift();
  }

  range(index: number): SnapshotRange {
    const range = this.#left.get(index);
    if (range === undefined) throw new TypeError(`The range ${index} of ${this.namespace.name} is finished`);
    return range;
  }

  /** A chunk of the range is on its way to Kafka. */
  moved(index: number, lastId: Buffer, documents: number): SnapshotProgress {
    this.#left.set(index, { ...this.range(index), lastId: lastId.toString('base64') });
    return this.#update({ documents: this.#progress.documents + documents });
  }

  /** Nothing is left of the range, and of the collection when it was the last. */
  finished(index: number, documents: number): SnapshotProgress {
    this.#left.delete(index);
    const done = this.#left.size === 0 ? ({ state: 'done', finishedAtMs: Date.now() } as const) : {};
    return this.#update({ documents: this.#progress.documents + documents, ...done });
  }

  #update(change: Partial<SnapshotProgress>): SnapshotProgress {
    this.#progress = { ...this.#progress, ...change, ranges: [...this.#left.values()] };
    return this.#progress;
  }
}
