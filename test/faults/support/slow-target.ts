// A target that takes its time, and remembers what it was given.
import { formatNamespace } from '@tailwater/schema';
import type { Change } from '#consumer/changes/change.js';
import { APPLIED, type ChangeResult, TARGET_API_VERSION, type Target } from '#consumer/targets/target.js';
import type { TopicRecord } from '#test/support/read-topic.js';

/** Takes its time, and remembers the place of everything that it applied, and how far it got with each key. */
export class SlowTarget implements Target {
  readonly apiVersion = TARGET_API_VERSION;
  readonly kind = 'slow';
  readonly applied = new Set<string>();
  #newest = new Map<string, number>();
  delayMs: number;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  nameOf = formatNamespace;

  async connect(): Promise<void> {}

  async applyBatch(changes: readonly Change[]): Promise<ChangeResult[]> {
    await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    for (const { topic, partition, offset, key } of changes) {
      this.applied.add(`${topic}/${partition}/${offset}`);
      const name = `${topic}/${partition}/${key}`;
      this.#newest.set(name, Math.max(offset, this.#newest.get(name) ?? 0));
    }
    return changes.map(() => APPLIED);
  }

  /** Whether this record was applied, or one of its key that came after it. */
  has(topic: string, { partition, offset, key }: TopicRecord): boolean {
    return (this.#newest.get(`${topic}/${partition}/${key}`) ?? -1) >= Number(offset);
  }

  /** What it has applied by now, as a target that takes nothing more. */
  atThisMoment(): SlowTarget {
    const now = new SlowTarget(0);
    now.#newest = new Map(this.#newest);
    return now;
  }

  async close(): Promise<void> {}
}
