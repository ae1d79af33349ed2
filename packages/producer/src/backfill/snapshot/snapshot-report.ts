// What is known of every collection's snapshot, for the terminal, the logs, the metrics and the status.
import type { SnapshotProgress } from '../../checkpoint/checkpoint-record.js';

/** How often the rate is measured anew, in milliseconds. */
const RATE_WINDOW_MS = 1000;

export interface SnapshotStatus extends Omit<SnapshotProgress, 'ranges'> {
  readonly namespace: string;
  /** Stretches of its ids that are not finished; null while it waits. */
  readonly ranges: number | null;
}

/** The snapshot's sums over all collections. */
export interface SnapshotTotals {
  readonly state: 'idle' | 'running' | 'done';
  readonly documents: number;
  readonly total: number;
  /** Documents a second, lately. */
  readonly rate: number;
  readonly etaSeconds: number | undefined;
}

export class SnapshotReport {
  readonly #byNamespace = new Map<string, SnapshotProgress>();
  /** Collections that are being copied or wait for their turn. */
  readonly #pending = new Set<string>();
  #documents = 0;
  #rate = 0;
  #measuredAtMs = Date.now();
  #measuredDocuments = 0;

  /** A snapshot was asked for; `progress` is what an earlier run has left. */
  requested(namespace: string, progress: SnapshotProgress | undefined): void {
    if (progress !== undefined) this.#byNamespace.set(namespace, progress);
    if (progress?.state !== 'done') this.#pending.add(namespace);
  }

  /** The collections that are being copied or wait for their turn. */
  pending(): string[] {
    return [...this.#pending];
  }

  /** How many documents a collection has that waits for its turn. */
  estimated(namespace: string, total: number): void {
    const known = this.#byNamespace.get(namespace);
    this.#byNamespace.set(namespace, {
      state: 'running',
      ranges: null,
      documents: 0,
      startedAtMs: Date.now(),
      finishedAtMs: null,
      ...known,
      total,
    });
  }

  started(namespace: string, progress: SnapshotProgress): void {
    this.#byNamespace.set(namespace, progress);
  }

  moved(namespace: string, progress: SnapshotProgress): void {
    this.#documents += progress.documents - (this.#byNamespace.get(namespace)?.documents ?? 0);
    this.#byNamespace.set(namespace, progress);
    const now = Date.now();
    if (now - this.#measuredAtMs < RATE_WINDOW_MS) return;
    this.#rate = ((this.#documents - this.#measuredDocuments) * 1000) / (now - this.#measuredAtMs);
    this.#measuredAtMs = now;
    this.#measuredDocuments = this.#documents;
  }

  finished(namespace: string, progress: SnapshotProgress): void {
    this.#pending.delete(namespace);
    this.#byNamespace.set(namespace, progress);
    if (this.#pending.size === 0) this.#rate = 0;
  }

  /** The collection is gone: it counts again when a snapshot of its name is asked for. */
  forgotten(namespace: string): void {
    this.#pending.delete(namespace);
    this.#byNamespace.delete(namespace);
  }

  collections(): SnapshotStatus[] {
    return [...this.#byNamespace].map(([namespace, progress]) => ({ namespace, ...progress, ranges: progress.ranges?.length ?? null }));
  }

  totals(): SnapshotTotals {
    let [documents, total] = [0, 0];
    for (const progress of this.#byNamespace.values()) {
      documents += progress.documents;
      total += progress.state === 'done' ? progress.documents : Math.max(progress.total, progress.documents);
    }
    const state = this.#pending.size > 0 ? 'running' : this.#byNamespace.size > 0 ? 'done' : 'idle';
    return { state, documents, total, rate: this.#rate, etaSeconds: this.#rate > 0 ? (total - documents) / this.#rate : undefined };
  }
}
