// Records that this process cannot read and another may: a later release wrote them, or a schema registry that is away, or that this process was not told of, has their
// schema. Good records may be among them, so they are no dead letters; anybody can write one, so they end no consumer. The partition waits at such a record, and holds
// nothing in memory; it is looked at again now and then. All others go on.
import { Backoff, type Clock, type Logger, Notifier, Outage, type TailwaterError } from '@tailwater/runtime';
import { partitionName, type TopicPartition } from '../subscribe/subscription.js';

/** Nothing but the record's removal, or a registry's answer, brings such a partition forward. */
const PAUSES = { minMs: 5_000, maxMs: 300_000 };
const TEXTS = {
  begins: 'A partition waits, the others go on',
  lasts: 'Partitions still wait',
  over: 'No partition waits at an unreadable record any more',
  isState: true,
};

export interface UnreadableRecord extends TopicPartition {
  readonly offset: number;
  readonly error: TailwaterError;
  /** For how long, in milliseconds. */
  readonly forMs: number;
}

interface Waiting extends Omit<UnreadableRecord, 'forMs'> {
  readonly sinceMs: number;
  readonly pauses: Backoff;
  /** Whether it is not to be looked at again yet. */
  isBlocked: boolean;
  /** Aborted when no partition waits at it any more. */
  readonly ended: AbortController;
}

export class UnreadableRecords {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #waiting = new Map<string, Waiting>();
  readonly #changed = new Notifier();
  /** By the code of what is the matter: of many partitions there is one line. */
  readonly #outages = new Map<string, Outage>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  get waiting(): readonly UnreadableRecord[] {
    const now = this.#clock.monotonic();
    return [...this.#waiting.values()].map(({ topic, partition, offset, error, sinceMs }) => {
      return { topic, partition, offset, error, forMs: now - sinceMs };
    });
  }

  /**
   * The partition waits at this record, until `cured` settles; without it for a while, longer each time.
   *
   * @param cured what is under way that makes it readable
   */
  wait({ topic, partition }: TopicPartition, offset: number, error: TailwaterError, cured?: Promise<unknown>): void {
    const name = partitionName({ topic, partition });
    const before = this.#waiting.get(name);
    const kept = before?.offset === offset ? before : undefined;
    const [sinceMs, pauses] = [kept?.sinceMs ?? this.#clock.monotonic(), kept?.pauses ?? new Backoff(PAUSES)];
    before?.ended.abort();
    const waiting: Waiting = { topic, partition, offset, error, sinceMs, pauses, isBlocked: true, ended: new AbortController() };
    this.#waiting.set(name, waiting);
    this.#tell(error);
    void this.#unblock(waiting, cured);
  }

  /** Whether there is nothing to be read of the partition at the moment. */
  isBlocked(partition: TopicPartition): boolean {
    return this.#waiting.get(partitionName(partition))?.isBlocked === true;
  }

  /** Resolves when the partition is to be looked at again, or the signal aborts. */
  async until(partition: TopicPartition, signal: AbortSignal): Promise<void> {
    await this.#changed.until(() => !this.isBlocked(partition), signal);
  }

  /** The partition is read on from here: what it waited at is behind it, or is not there any more. */
  passed(partition: TopicPartition, next: number): void {
    const waiting = this.#waiting.get(partitionName(partition));
    if (waiting !== undefined && next > waiting.offset) this.forget([waiting]);
  }

  /** These partitions are not this process's any more. */
  forget(partitions: Iterable<TopicPartition>): void {
    for (const each of partitions) {
      const name = partitionName(each);
      this.#waiting.get(name)?.ended.abort();
      this.#waiting.delete(name);
    }
    const left = new Set([...this.#waiting.values()].map(({ error }) => error.code as string));
    for (const [code, outage] of this.#outages) if (!left.has(code)) outage.recovered();
    this.#changed.notify();
  }

  async #unblock(waiting: Waiting, cured: Promise<unknown> | undefined): Promise<void> {
    try {
      await (cured ?? waiting.pauses.pause(waiting.ended.signal));
    } catch {
      // It is asked for anew, and the caller hears why it failed.
    }
    waiting.isBlocked = false;
    this.#changed.notify();
  }

  #tell(error: TailwaterError): void {
    const { code, hint, message } = error;
    let outage = this.#outages.get(code);
    if (outage === undefined) {
      outage = new Outage(TEXTS, this.#logger, this.#clock);
      this.#outages.set(code, outage);
    }
    const partitions = [...this.#waiting.values()].filter((each) => each.error.code === code).length;
    outage.failed(message, { code, hint, partitions });
  }
}
