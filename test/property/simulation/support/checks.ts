// What must hold at every moment, and what must hold at rest.
import type { Change } from '#consumer/changes/change.js';
import type { TopicPartition } from '#consumer/subscribe/subscription.js';
import { nameOf, type SimulatedPartition } from './kafka/controller.js';
import { documentOf, type TargetWatch } from './simulated-target.js';
import type { Process } from './virtual-time.js';

export class Violation extends Error {
  override readonly name = 'Violation';
}

interface Stint {
  readonly owner: Process;
  readonly number: number;
}

export class Checks implements TargetWatch {
  /** Of each document, the newest change that has arrived at the target, by its offset. */
  readonly #arrived = new Map<string, number>();
  /** Of each partition, as far as a commit was looked at. */
  readonly #committed = new Map<string, number>();
  /** Who was given a partition, in the order in which that was. */
  readonly #stints = new Map<string, Stint[]>();
  /** Of each partition, the newest stint in which something has arrived. */
  readonly #writing = new Map<string, number>();
  /** Of a target without versions: one that was given a partition must not be overtaken by the one before. */
  readonly #isOrderKept: boolean;
  readonly violations: Violation[] = [];

  constructor(isOrderKept: boolean) {
    this.#isOrderKept = isOrderKept;
  }

  violated(what: string): void {
    this.violations.push(new Violation(what));
  }

  given(owner: Process, partitions: readonly TopicPartition[]): void {
    for (const { topic, partition } of partitions) {
      const name = nameOf(topic, partition);
      const stints = this.#stints.get(name) ?? [];
      stints.push({ owner, number: stints.length });
      this.#stints.set(name, stints);
    }
  }

  arrived(owner: Process, change: Change): void {
    const document = documentOf(change);
    this.#arrived.set(document, Math.max(this.#arrived.get(document) ?? -1, change.offset));
    const name = nameOf(change.topic, change.partition);
    const stint = this.#stints.get(name)?.findLast((each) => each.owner === owner)?.number ?? -1;
    const newest = this.#writing.get(name) ?? -1;
    if (stint < newest && this.#isOrderKept) this.violated(`${owner.name} writes of ${name} what the next owner has written already`);
    this.#writing.set(name, Math.max(stint, newest));
  }

  /** No commit passes a record that is not applied. One of the same document behind it makes it moot, since that one is read by whoever reads on. */
  committed(owner: Process, partition: SimulatedPartition, offset: number): void {
    const { topic, log } = partition;
    const name = nameOf(topic, partition.partition);
    const before = this.#committed.get(name) ?? 0;
    const last = lastRecords(partition);
    for (const record of log.committed) {
      if (record.offset !== last.get(documentOf({ topic, key: record.key }))) continue;
      if (record.offset < before || record.offset >= offset) continue;
      const arrived = this.#arrived.get(documentOf({ topic, key: record.key })) ?? -1;
      if (arrived < record.offset)
        this.violated(`${owner.name} commits ${offset} of ${name}, and ${record.offset} (${record.key}) was not applied`);
    }
    if (offset > log.end) this.violated(`${owner.name} commits ${offset} of ${name}, which ends at ${log.end}`);
    this.#committed.set(name, Math.max(before, offset));
  }
}

/** The last committed record of each document, by its offset. */
export function lastRecords({ topic, log }: SimulatedPartition): Map<string, number> {
  const last = new Map<string, number>();
  for (const { key, offset } of log.committed) {
    const document = documentOf({ topic, key });
    last.set(document, Math.max(last.get(document) ?? -1, offset));
  }
  return last;
}
