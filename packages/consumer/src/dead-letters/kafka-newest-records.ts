// Which letters are still about the newest state of their document: a retry never applies anything older than that. The topics are read
// once, from the oldest letter of each partition on, whatever the number of letters; later looks read only what has come since.
import { hash } from 'node:crypto';
import { type KafkaClient, type PartitionEnds, partitionEnds, readRanges, toKafkaError } from '@tailwater/runtime';
import type { Admin } from 'kafkajs';
import type { FetchedRecord, TopicPartition } from '../subscribe/subscription.js';
import type { DeadLetter } from './dead-letter.js';

const NOTHING = Buffer.alloc(0);

/**
 * `newest`: nothing came after the record. `superseded`: a later record of the same key, which the group has read or will, or the
 * record was compacted away because of one. `gone`: its partition does not exist any more. `remade`: its topic was deleted and made
 * anew, so its offsets say nothing of this letter.
 */
export type DeadLetterStatus = 'newest' | 'superseded' | 'gone' | 'remade';

/** A partition that has dead letters. */
interface Place extends TopicPartition {
  /** The offset to read on from. */
  next: number;
  /** By key, the offset of its last record that was read; undefined before there was any. */
  readonly newest: Map<string, number | undefined>;
  exists: boolean;
  /** By offset, a digest of the record that was put aside: in the topic of that time, nothing else can be there. */
  readonly digests: Map<number, string>;
  /** The last offset of a letter. */
  last: number;
  isRemade: boolean;
}

export class NewestRecords implements AsyncDisposable {
  readonly #kafka: KafkaClient;
  readonly #admin: Admin;
  readonly #places = new Map<string, Place>();

  private constructor(kafka: KafkaClient, admin: Admin) {
    this.#kafka = kafka;
    this.#admin = admin;
  }

  /** @throws TailwaterError TW12xx when Kafka refuses */
  static async open(kafka: KafkaClient): Promise<NewestRecords> {
    const admin = kafka.admin();
    try {
      await admin.connect();
    } catch (error) {
      throw toKafkaError(error, kafka.brokers);
    }
    return new NewestRecords(kafka, admin);
  }

  /** The letter's document is to be looked for. All of them are named before the first `update`. */
  expect({ topic, partition, record }: DeadLetter): void {
    const name = `${topic}/${partition}`;
    const place = this.#places.get(name) ?? {
      topic,
      partition,
      next: Number.POSITIVE_INFINITY,
      newest: new Map(),
      exists: false,
      digests: new Map(),
      last: -1,
      isRemade: false,
    };
    this.#places.set(name, place);
    const offset = Number(record.offset);
    place.digests.set(offset, digestOf(record));
    place.last = Math.max(place.last, offset);
    place.next = Math.min(place.next, offset);
    place.newest.set(keyOf(record), undefined);
  }

  /**
   * Reads on to where the partitions end now.
   *
   * @throws TailwaterError TW1352, TW12xx
   */
  async update(signal: AbortSignal): Promise<void> {
    const ends = new Map((await this.#ends()).map((each) => [`${each.topic}/${each.partition}`, each]));
    const ranges = [...this.#places].map(([name, place]) => {
      const { low, high } = ends.get(name) ?? { low: 0, high: 0 };
      place.exists = ends.has(name);
      // A topic never ends before what was read of it.
      place.isRemade ||= place.exists && high <= place.last;
      return { topic: place.topic, partition: place.partition, begin: Math.max(low, place.next), end: high };
    });
    for await (const { topic, partition, records } of readRanges(this.#kafka, ranges, signal)) {
      const place = this.#places.get(`${topic}/${partition}`) as Place;
      const { newest, digests } = place;
      for (const record of records) {
        const before = digests.get(Number(record.offset));
        if (before !== undefined && before !== digestOf(record)) place.isRemade = true;
        const key = keyOf(record);
        if (newest.has(key)) newest.set(key, Number(record.offset));
      }
    }
    for (const { topic, partition, end } of ranges) {
      const place = this.#places.get(`${topic}/${partition}`) as Place;
      place.next = Math.max(place.next, end);
    }
  }

  statusOf({ topic, partition, record }: DeadLetter): DeadLetterStatus {
    const place = this.#places.get(`${topic}/${partition}`);
    if (place?.exists !== true) return 'gone';
    if (place.isRemade) return 'remade';
    return place.newest.get(keyOf(record)) === Number(record.offset) ? 'newest' : 'superseded';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#admin.disconnect();
  }

  async #ends(): Promise<readonly PartitionEnds[]> {
    try {
      return await partitionEnds(this.#admin, new Set([...this.#places.values()].map(({ topic }) => topic)));
    } catch (error) {
      throw toKafkaError(error, this.#kafka.brokers);
    }
  }
}

const digestOf = ({ key, value }: FetchedRecord): string =>
  hash('sha256', Buffer.concat([Buffer.from(`${key?.length ?? -1} ${value?.length ?? -1} `), key ?? NOTHING, value ?? NOTHING]), 'base64');

/** Records without a key are no document's: each stands for itself. */
const keyOf = ({ key, offset }: FetchedRecord): string => (key === null ? `@${offset}` : `=${key.toString('latin1')}`);
