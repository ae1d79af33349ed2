// Whether a partition's deletes may have been missed. Kafka removes a tombstone some time after it was written
// (delete.retention.ms): a group that was not in step at any moment within that time may never see it, and its target keeps a document
// that is gone. The moment up to which the group has everything travels with its commits, as their metadata.

import type { EpochEnd } from '@tailwater/runtime';
import type { EpochHistory } from '../subscribe/epoch-history.js';
import type { TargetMark } from '../subscribe/target-mark.js';

/** A span of time, in milliseconds since the epoch. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a commit says beside its offset. */
export interface CommitMetadata {
  /** Everything that was published up to then is applied, in milliseconds since the epoch. */
  readonly freshAtMs: number;
  /** Deletes published in this time may be missing at the target. */
  readonly missed?: Span | undefined;
  /** Kafka's id of the topic, which is another when the topic was made anew; undefined when the broker did not tell. */
  readonly topicId?: string | undefined;
  /** Where it was applied to. */
  readonly target?: TargetMark | undefined;
  /** Who wrote what is applied. Kafka's own field of a commit holds the last epoch only, which does not always tell from where on a log is another one. */
  readonly epochs?: EpochHistory | undefined;
}

/** A commit's metadata has 4 KiB by Kafka's default. */
const MAX_EPOCHS = 8;

export function formatCommitMetadata({ freshAtMs, missed, topicId, target, epochs = [] }: CommitMetadata): string {
  const written = epochs.length === 0 ? undefined : epochs.slice(-MAX_EPOCHS).map(({ epoch, end }) => [epoch, end]);
  return JSON.stringify({ fresh: freshAtMs, missed: missed && [missed.fromMs, missed.toMs], topic: topicId, target, epochs: written });
}

/** Reads what `formatCommitMetadata` wrote; undefined for anything else: a commit of another program, or of an earlier release. */
export function parseCommitMetadata(text: string | null | undefined): CommitMetadata | undefined {
  try {
    const { fresh, missed, topic, target, epochs } = JSON.parse(text ?? '') as Record<
      'fresh' | 'missed' | 'topic' | 'target' | 'epochs',
      unknown
    >;
    if (typeof fresh !== 'number') return undefined;
    const [fromMs, toMs] = Array.isArray(missed) ? (missed as unknown[]) : [];
    return {
      freshAtMs: fresh,
      missed: typeof fromMs === 'number' && typeof toMs === 'number' ? { fromMs, toMs } : undefined,
      topicId: typeof topic === 'string' ? topic : undefined,
      target: Array.isArray(target) ? target.map(String) : undefined,
      epochs: Array.isArray(epochs) ? epochs.flatMap(readEpoch) : undefined,
    };
  } catch {
    return undefined;
  }
}

function readEpoch(pair: unknown): EpochEnd[] {
  const [epoch, end] = Array.isArray(pair) ? (pair as unknown[]) : [];
  return typeof epoch === 'number' && typeof end === 'number' ? [{ epoch, end }] : [];
}

export class Freshness {
  readonly #keptMs: number;
  #freshAtMs: number;
  #missed: Span | undefined;

  /**
   * @param note of the group's last commit; without one the group counts as in step now: it begins, or was never asked before
   * @param keptMs how long the topic keeps tombstones
   */
  constructor(note: CommitMetadata | undefined, keptMs: number, nowMs: number) {
    this.#keptMs = keptMs;
    this.#freshAtMs = note?.freshAtMs ?? nowMs;
    this.#missed = note?.missed;
  }

  /** When deletes may have been missed; undefined when none were. */
  get missed(): Span | undefined {
    return this.#missed;
  }

  get note(): CommitMetadata {
    return { freshAtMs: this.#freshAtMs, missed: this.#missed };
  }

  /**
   * Records that lag behind for longer than tombstones are kept are held to hide a delete.
   *
   * @param reading `lag` records are left; the last one applied was published at `publishedAtMs`, if any was
   * @returns whether deletes may have been missed that were not known to be before
   */
  advance(reading: { readonly lag: number; readonly publishedAtMs: number | undefined }, nowMs: number): boolean {
    const before = this.#missed;
    if (reading.lag > 0 && nowMs - this.#freshAtMs > this.#keptMs) {
      this.#missed = { fromMs: before?.fromMs ?? this.#freshAtMs, toMs: nowMs };
      // Told once: from here on the same clock starts again.
      this.#freshAtMs = nowMs;
      return true;
    }
    this.#freshAtMs = Math.max(this.#freshAtMs, reading.lag === 0 ? nowMs : Math.min(nowMs, reading.publishedAtMs ?? 0));
    return false;
  }
}
