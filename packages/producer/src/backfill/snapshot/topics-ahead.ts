// Makes the topics of the collections that are to be copied, in their order and many in a request: those that are needed now, and those that come next while the first
// are copied. Brokers take a minute for a few thousand partitions, which copies and changes of other collections do not wait for. More than that is not
// begun: brokers that have too many to make take no records for those that they have told of, for longer than a transaction may last.
import type { TrackedNamespace } from '../../changes/change-batch.js';

/** So many that brokers have work, and so few that those who wait for one of them do not wait for long. */
const PARTITIONS_AT_ONCE = 400;

export class TopicsAhead {
  readonly #ensure: (namespaces: readonly TrackedNamespace[]) => Promise<void>;
  readonly #atOnce: number;
  #waiting: TrackedNamespace[] = [];
  /** Made, or being made, and not needed yet. */
  readonly #ahead = new Set<TrackedNamespace>();

  constructor(ensure: (namespaces: readonly TrackedNamespace[]) => Promise<void>, partitions: number) {
    this.#ensure = ensure;
    this.#atOnce = Math.max(1, Math.floor(PARTITIONS_AT_ONCE / partitions));
  }

  /** These will need topics, in this order. */
  expect(namespaces: readonly TrackedNamespace[]): void {
    this.#waiting.push(...namespaces);
  }

  /** Resolves when these have topics. */
  async need(namespaces: readonly TrackedNamespace[]): Promise<void> {
    const isFirst = namespaces.some((namespace) => this.#waiting.includes(namespace));
    this.#waiting = this.#waiting.filter((namespace) => !namespaces.includes(namespace));
    for (const namespace of namespaces) this.#ahead.delete(namespace);
    await this.#ensure(isFirst ? [...namespaces, ...this.#next(this.#atOnce - namespaces.length)] : namespaces);
    if (this.#ahead.size > 0 || this.#waiting.length === 0) return;
    // A caller that needs one that could not be made asks again, and gets the error.
    this.#ensure(this.#next(this.#atOnce)).catch(() => undefined);
  }

  #next(count: number): TrackedNamespace[] {
    const next = this.#waiting.splice(0, Math.max(0, count));
    for (const namespace of next) this.#ahead.add(namespace);
    return next;
  }
}
