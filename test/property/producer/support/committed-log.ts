// What Kafka holds, in memory: whole transactions or nothing, from the newest producer only.
import { decodeChangeEvent, Position, parseTombstone } from '@tailwater/schema';
import { type Checkpoint, CheckpointReader } from '../../../../packages/producer/src/checkpoint/checkpoint-record.js';
import type { OutgoingRecord, TopicRecords } from '../../../../packages/producer/src/encode/record-encoder.js';
import type { TransactionSender } from '../../../../packages/producer/src/publish/publisher.js';

export const CHECKPOINTS = 'tw.checkpoints';

export interface CommittedRecord {
  readonly key: string;
  readonly partition: number;
  readonly position: Position;
  readonly origin: string;
  readonly op: string;
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

  checkpoint(): Checkpoint {
    const reader = new CheckpointReader('rs0');
    for (const { checkpoint } of this.publications) for (const { key, value } of checkpoint) reader.add(key, value);
    return reader.result();
  }
}

function readPublication(topics: readonly TopicRecords[]): Publication {
  const messagesOf = (isCheckpoint: boolean): OutgoingRecord[] =>
    topics.filter(({ topic }) => (topic === CHECKPOINTS) === isCheckpoint).flatMap(({ messages }) => messages);
  return {
    records: messagesOf(false).map(readRecord),
    checkpoint: messagesOf(true).map(({ key, value }) => ({ key: key.toString(), value: value === null ? null : Buffer.from(value) })),
  };
}

function readRecord({ key, value, partition, headers }: OutgoingRecord): CommittedRecord {
  const common = { key: key.toString(), partition };
  if (value === null) {
    const tombstone = parseTombstone(headers);
    return {
      ...common,
      position: tombstone?.position ?? new Position(0, 0),
      origin: tombstone?.origin ?? '',
      op: 'delete',
      document: undefined,
    };
  }
  const { position, origin, op, document } = decodeChangeEvent(value);
  return { ...common, position, origin, op, document: Buffer.from(document) };
}
