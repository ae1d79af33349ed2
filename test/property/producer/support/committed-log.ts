// What Kafka holds, in memory: whole transactions or nothing, from the newest producer only.
import { decodeChangeEvent, isControlKey, Position, parseTombstone } from '@tailwater/schema';
import { type Checkpoint, CheckpointReader } from '#producer/checkpoint/checkpoint-record.js';
import type { OutgoingRecord, TopicRecords } from '#producer/encode/record-encoder.js';
import type { TransactionSender } from '#producer/publish/publisher.js';

export const CHECKPOINTS = 'tw.checkpoints';

export interface CommittedRecord {
  readonly topic: string;
  readonly key: string;
  readonly partition: number;
  readonly position: Position;
  readonly origin: string;
  readonly op: string;
  /** As it stands in the topic; null for a tombstone. */
  readonly value: Buffer | null;
  /** Undefined for a tombstone. */
  readonly document: Buffer | undefined;
}

/** One transaction. */
export interface Publication {
  readonly records: readonly CommittedRecord[];
  readonly checkpoint: readonly { readonly key: string; readonly value: Buffer | null }[];
}

/** `lost`: nothing of it was committed; `unanswered`: all of it was, and the producer does not know. */
export type Fault = 'lost' | 'unanswered' | undefined;

export class InjectedFault extends Error {}

export class CommittedLog {
  readonly publications: Publication[] = [];
  readonly #faults: Fault[];
  /** By topic: how many publications there were when it was made, and by what it is told from another of its name. */
  readonly #topics = new Map<string, { readonly from: number; readonly id: string }>();
  #made = 0;
  /** How many publications there were when somebody deleted the checkpoints. */
  #forgotten = 0;
  #epoch = 0;

  constructor(faults: readonly Fault[]) {
    this.#faults = [...faults];
  }

  /** A new producer: those before are fenced. `arrive` is awaited by each transaction before it is decided on. */
  connect(arrive: () => Promise<void>): TransactionSender {
    const epoch = ++this.#epoch;
    return {
      send: async (topics) => {
        await arrive();
        if (epoch !== this.#epoch) throw new InjectedFault('fenced');
        const fault = this.#faults.shift();
        if (fault === 'lost') throw new InjectedFault('lost');
        // Read only now: until a transaction is over, its buffers must not be written again.
        this.publications.push(readPublication(topics));
        if (fault === 'unanswered') throw new InjectedFault('unanswered');
      },
    };
  }

  /** What becomes of the transactions from now on. @returns how many of these are still to come */
  inject(faults: readonly Fault[]): () => number {
    this.#faults.splice(0, Number.POSITIVE_INFINITY, ...faults);
    return () => this.#faults.length;
  }

  checkpoint(source = 'rs0'): Checkpoint {
    const reader = new CheckpointReader(source);
    for (const { checkpoint } of this.publications.slice(this.#forgotten)) for (const { key, value } of checkpoint) reader.add(key, value);
    return reader.result();
  }

  /** Makes the topic unless it exists. */
  ensure(topic: string): void {
    if (!this.#topics.has(topic)) this.#topics.set(topic, { from: this.publications.length, id: `topic ${this.#made++}` });
  }

  idOf(topic: string): string | undefined {
    return this.#topics.get(topic)?.id;
  }

  /** Somebody deletes what producers remember. */
  forget(): void {
    this.#forgotten = this.publications.length;
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  topics(): string[] {
    return [...this.#topics.keys()];
  }

  /** Somebody deletes the topic, and what it holds is gone. */
  delete(topic: string): void {
    this.#topics.delete(topic);
  }

  /** What the topic holds now. */
  read(topic: string): CommittedRecord[] {
    const from = this.#topics.get(topic)?.from ?? this.publications.length;
    return this.publications.slice(from).flatMap(({ records }) => records.filter((record) => record.topic === topic));
  }

  /** The documents by key that the topic leaves behind. */
  fold(topic: string): Map<string, Buffer> {
    const folded = new Map<string, Buffer>();
    for (const { key, document } of this.read(topic)) {
      if (document === undefined) folded.delete(key);
      else folded.set(key, document);
    }
    return folded;
  }
}

function readPublication(topics: readonly TopicRecords[]): Publication {
  const checkpoint = topics.filter(({ topic }) => topic === CHECKPOINTS).flatMap(({ messages }) => messages);
  const others = topics.filter(({ topic }) => topic !== CHECKPOINTS);
  return {
    records: others.flatMap(({ topic, messages }) =>
      messages.filter(({ key }) => !isControlKey(key as Buffer)).map((message) => readRecord(topic, message)),
    ),
    checkpoint: checkpoint.map(({ key, value }) => ({ key: key.toString(), value: value === null ? null : Buffer.from(value) })),
  };
}

function readRecord(topic: string, { key, value, partition, headers }: OutgoingRecord): CommittedRecord {
  const common = { topic, key: key.toString(), partition };
  if (value === null) {
    const tombstone = parseTombstone(headers);
    return {
      ...common,
      position: tombstone?.position ?? new Position(0, 0),
      origin: tombstone?.origin ?? '',
      op: 'delete',
      value: null,
      document: undefined,
    };
  }
  const kept = Buffer.from(value);
  const { position, origin, op, document } = decodeChangeEvent(kept);
  return { ...common, position, origin, op, value: kept, document: Buffer.from(document) };
}
