// Which topic of signals it is. One that was deleted and made anew has signals that were not executed, whatever was executed of the one before: by their
// offsets alone those of the new one that lie before the old place would be passed over.
import type { Logger } from '@tailwater/runtime';
import { type Checkpoint, type CheckpointMessage, signalsMessage } from '../checkpoint/checkpoint-record.js';
import type { TopicList } from '../publish/topic-list.js';

/** Where to read on. */
export interface SignalPlace {
  readonly offset: bigint;
  /** Of the topic that has this offset; undefined where brokers do not tell. */
  readonly topicId: string | undefined;
}

/** A record of the topic, and which topic that was. */
export interface SignalRecord extends SignalPlace {
  readonly value: Buffer | null;
}

export type ReadRecord = Omit<SignalRecord, 'topicId'>;

/** Hands over every record from an offset on, or from the oldest where there is no such offset, in order, until the signal aborts. */
export type ReadSignals = (from: bigint, take: (records: readonly ReadRecord[]) => Promise<void>, signal: AbortSignal) => Promise<void>;

export interface SignalTopicParts {
  readonly topic: string;
  readonly list: Pick<TopicList, 'read'>;
  /** The offset behind its last record. */
  readonly end: () => Promise<bigint>;
  readonly read: ReadSignals;
  readonly logger: Logger;
}

type Known = Pick<Checkpoint, 'signals' | 'signalsTopic'>;

export class SignalTopic {
  readonly #parts: SignalTopicParts;
  #id: string | undefined;
  /** Ends what reads a topic that another one has taken the place of. */
  #reading = new AbortController();

  constructor(parts: SignalTopicParts) {
    this.#parts = parts;
  }

  /** Where to begin by what the checkpoint says, and what is to be noted there before anything is read. */
  async begin(source: string, known: Known): Promise<{ readonly place: Known; readonly noted: CheckpointMessage[] }> {
    this.#id = await this.#sure(known.signalsTopic);
    // One that does not tell any more which topic it is, or not yet: the offsets are all there is to go by.
    const isAnother = known.signalsTopic !== undefined && this.#id !== undefined && this.#id !== known.signalsTopic;
    if (isAnother) this.#tell();
    const isBeyond = known.signals > 0n && known.signals > (await this.#parts.end());
    const place = { signals: isAnother || isBeyond ? 0n : known.signals, signalsTopic: this.#id ?? known.signalsTopic };
    const isNoted = place.signals === known.signals && (place.signals === 0n || place.signalsTopic === known.signalsTopic);
    return { place, noted: isNoted ? [] : [signalsMessage(source, place.signals, place.signalsTopic)] };
  }

  /** Reads from the beginning when another topic has taken the place of the one that is read. */
  async look(): Promise<void> {
    const now = await this.#sure(this.#id);
    if (now === undefined || now === this.#id) return;
    const isAnother = this.#id !== undefined;
    this.#id = now;
    if (!isAnother) return;
    this.#tell();
    this.#reading.abort(new Error('Another topic of signals has taken the place of the one that was read'));
  }

  /** Hands over every record from the place on, until the signal aborts. `take` does not wait. */
  async read({ offset, topicId }: SignalPlace, take: (record: SignalRecord) => void, signal: AbortSignal): Promise<void> {
    for (let from = topicId === undefined || topicId === this.#id ? offset : 0n; !signal.aborted; from = 0n) {
      this.#reading = new AbortController();
      const [reading, id] = [this.#reading.signal, this.#id];
      const takeAll = async (records: readonly ReadRecord[]): Promise<void> => {
        // Those of another topic are read again from its beginning, and would be done twice.
        await this.look();
        if (!reading.aborted) for (const record of records) take({ ...record, topicId: id ?? topicId });
      };
      try {
        await this.#parts.read(from, takeAll, AbortSignal.any([signal, reading]));
      } catch (error) {
        if (!reading.aborted) throw error;
      }
    }
  }

  /** The topic's id, for which two brokers vouch when it is not the one that is known: a broker that lags may tell that of the topic before. */
  async #sure(known: string | undefined): Promise<string | undefined> {
    const { list, topic } = this.#parts;
    const found = await list.read();
    const id = found.get(topic)?.id;
    if (id === undefined || known === undefined || id === known) return id;
    return (await list.read(found)).get(topic)?.id === id ? id : known;
  }

  #tell(): void {
    const { topic, logger } = this.#parts;
    logger.warn({ topic }, `${topic} was deleted and recreated: its signals are executed from the beginning`);
  }
}
