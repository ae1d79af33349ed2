// Brings records to the leaders of their partitions, each exactly once: every partition has its own numbers of records, by which brokers know what they have already, and
// only what a leader has not said it took is sent again, wherever that leader is by then. kafkajs asks again by broker, and loses or doubles what moves between two.
// https://kafka.apache.org/protocol#The_Messages_Produce
import {
  Backoff,
  type Broker,
  type BrokerConnections,
  BrokerRefusal,
  type BrokerRequest,
  ERROR,
  type ProducerIdentity,
  readTopics,
  TailwaterError,
} from '@tailwater/runtime';
import type { OutgoingRecord, TopicRecords } from '../encode/record-encoder.js';
import { type ProducedTopic, ProduceRequestWriter } from './produce-request.js';

const API = { name: 'Produce', apiKey: 0, version: 7 };
/** How long a leader waits for its replicas, in milliseconds. */
const REPLICAS_MS = 30_000;
const PAUSE = { minMs: 10, maxMs: 1000, factor: 1.6 };
const MAX_SEQUENCE = 2 ** 31;
/** Time cures these: the partition moves, or its replicas come back. */
const ASK_AGAIN: ReadonlySet<number> = new Set([
  ERROR.UNKNOWN_TOPIC_OR_PARTITION,
  ERROR.LEADER_NOT_AVAILABLE,
  ERROR.NOT_LEADER_OR_FOLLOWER,
  ERROR.REQUEST_TIMED_OUT,
  ERROR.REPLICA_NOT_AVAILABLE,
  ERROR.NETWORK_EXCEPTION,
  ERROR.NOT_ENOUGH_REPLICAS,
  ERROR.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ERROR.KAFKA_STORAGE_ERROR,
  ERROR.FENCED_LEADER_EPOCH,
  ERROR.UNKNOWN_LEADER_EPOCH,
]);

/** The topic may have been deleted. */
const IN_DOUBT: ReadonlySet<number> = new Set([ERROR.UNKNOWN_TOPIC_OR_PARTITION, ERROR.LEADER_NOT_AVAILABLE]);

/** What is to be brought to one partition. */
interface Outgoing {
  readonly topic: string;
  readonly partition: number;
  readonly messages: OutgoingRecord[];
}

interface Answer {
  readonly topic: string;
  readonly partition: number;
  readonly error: number;
}

export interface WriterOptions {
  /** How long one call asks again, in milliseconds. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  /** Called when a broker does not know a topic, or it has no leader. */
  readonly onTopicInDoubt?: () => void;
  /** Before it asks again the first time, in milliseconds. */
  readonly pauseMs?: number;
}

export class PartitionWriter {
  readonly #connections: BrokerConnections;
  readonly #identity: ProducerIdentity;
  readonly #patienceMs: number;
  readonly #signal: AbortSignal;
  readonly #onTopicInDoubt: () => void;
  readonly #pauseMs: number;
  /** The leader's node id by topic and partition. */
  readonly #leaders = new Map<string, readonly (number | undefined)[]>();
  readonly #sequences = new Map<string, number[]>();
  /** One a broker: it has one request at a time. */
  readonly #writers = new Map<number, ProduceRequestWriter>();

  constructor(connections: BrokerConnections, identity: ProducerIdentity, options: WriterOptions) {
    const { patienceMs, signal, onTopicInDoubt = () => {}, pauseMs = PAUSE.minMs } = options;
    this.#connections = connections;
    this.#identity = identity;
    this.#patienceMs = patienceMs;
    this.#signal = signal;
    this.#onTopicInDoubt = onTopicInDoubt;
    this.#pauseMs = pauseMs;
  }

  /** @throws BrokerRefusal for what time does not cure, or did not cure in time; what a connection failed with, likewise */
  async write(topics: readonly TopicRecords[]): Promise<void> {
    const untilMs = performance.now() + this.#patienceMs;
    let left = byPartition(topics);
    const backoff = new Backoff({ ...PAUSE, minMs: this.#pauseMs });
    while (true) {
      const { rest, failure } = await this.#attempt(left);
      if (rest.length === 0) return;
      if (performance.now() > untilMs) throw failure;
      if (failure instanceof BrokerRefusal && IN_DOUBT.has(failure.code)) this.#onTopicInDoubt();
      for (const { topic } of rest) this.#leaders.delete(topic);
      await backoff.pause(this.#signal);
      this.#signal.throwIfAborted();
      left = rest;
    }
  }

  async #attempt(outgoing: readonly Outgoing[]): Promise<{ rest: Outgoing[]; failure: unknown }> {
    const rest: Outgoing[] = [];
    let failure: unknown;
    const keep = (each: readonly Outgoing[], error: unknown): void => {
      rest.push(...each);
      failure ??= error;
    };
    try {
      await this.#learn(outgoing);
    } catch (error) {
      if (error instanceof BrokerRefusal && !ASK_AGAIN.has(error.code)) throw error;
      return { rest: [...outgoing], failure: error };
    }
    const byLeader = new Map<number, Outgoing[]>();
    for (const each of outgoing) {
      const leader = this.#leaders.get(each.topic)?.[each.partition];
      if (leader === undefined) keep([each], new BrokerRefusal(ERROR.LEADER_NOT_AVAILABLE, API.name, each.topic));
      else pushTo(byLeader, leader, each);
    }
    // All of them are waited for: what one leader takes late must not be sent a second time because another one failed.
    const sent = [...byLeader];
    const outcomes = await Promise.allSettled(sent.map(([leader, each]) => this.#produce(leader, each)));
    for (const [index, outcome] of outcomes.entries()) {
      const each = sent[index]?.[1] ?? [];
      if (outcome.status === 'fulfilled') for (const { left, error } of this.#take(each, outcome.value)) keep([left], error);
      else if (outcome.reason instanceof TailwaterError) throw outcome.reason;
      else keep(each, outcome.reason);
    }
    return { rest, failure };
  }

  /**
   * Counts what was taken, and returns what was not.
   *
   * @throws BrokerRefusal for what time does not cure
   */
  #take(outgoing: readonly Outgoing[], answers: readonly Answer[]): { left: Outgoing; error: unknown }[] {
    const codes = new Map(answers.map(({ topic, partition, error }) => [`${topic}/${partition}`, error]));
    const rest: { left: Outgoing; error: unknown }[] = [];
    let refused: BrokerRefusal | undefined;
    for (const each of outgoing) {
      const { topic, partition, messages } = each;
      const code = codes.get(`${topic}/${partition}`) ?? ERROR.NETWORK_EXCEPTION;
      // A leader that took it before, and whose answer did not come, knows it by its number.
      if (code === ERROR.NONE || code === ERROR.DUPLICATE_SEQUENCE_NUMBER) {
        this.#advance(topic, partition, messages.length);
        continue;
      }
      const error = new BrokerRefusal(code, API.name, topic);
      if (ASK_AGAIN.has(code)) rest.push({ left: each, error });
      else refused ??= error;
    }
    if (refused !== undefined) throw refused;
    return rest;
  }

  #produce(leader: number, outgoing: readonly Outgoing[]): Promise<readonly Answer[]> {
    let writer = this.#writers.get(leader);
    if (writer === undefined) {
      writer = new ProduceRequestWriter();
      this.#writers.set(leader, writer);
    }
    const to = writer;
    const { transactionalId, producerId, epoch } = this.#identity;
    const request: BrokerRequest<readonly Answer[]> = {
      ...API,
      waitMs: REPLICAS_MS,
      write: () => undefined,
      body: () =>
        to.write(
          {
            transactionalId,
            acks: -1,
            timeout: REPLICAS_MS,
            producerId: BigInt(producerId),
            producerEpoch: epoch,
            topics: this.#numbered(outgoing),
          },
          Date.now(),
        ),
      read: (from) => {
        const answers = from.array(() => {
          const topic = from.string() ?? '';
          return from.array(() => {
            const answer = { topic, partition: from.int32(), error: from.int16() };
            for (let field = 0; field < 3; field += 1) from.int64(); // base offset, append time, start of the log
            return answer;
          });
        });
        return answers.flat();
      },
    };
    return this.#connections.node(leader).then((broker: Broker) => broker.send(request));
  }

  #numbered(outgoing: readonly Outgoing[]): ProducedTopic[] {
    const topics = new Map<string, Outgoing[]>();
    for (const each of outgoing) pushTo(topics, each.topic, each);
    return [...topics].map(([topic, each]) => ({
      topic,
      partitions: each.map(({ partition, messages }) => ({
        partition,
        firstSequence: this.#sequences.get(topic)?.[partition] ?? 0,
        messages,
      })),
    }));
  }

  #advance(topic: string, partition: number, count: number): void {
    let sequences = this.#sequences.get(topic);
    if (sequences === undefined) {
      sequences = [];
      this.#sequences.set(topic, sequences);
    }
    sequences[partition] = ((sequences[partition] ?? 0) + count) % MAX_SEQUENCE;
  }

  /** Asks for the leaders of topics whose leaders are not known. */
  async #learn(outgoing: readonly Outgoing[]): Promise<void> {
    const unknown = [...new Set(outgoing.map(({ topic }) => topic))].filter((topic) => !this.#leaders.has(topic));
    if (unknown.length === 0) return;
    const { brokers, topics } = await readTopics(await this.#connections.any(), unknown);
    this.#connections.learn(brokers);
    for (const [topic, { leaders }] of topics) this.#leaders.set(topic, leaders);
  }
}

function pushTo<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function byPartition(topics: readonly TopicRecords[]): Outgoing[] {
  const partitions = new Map<string, Outgoing[]>();
  const all: Outgoing[] = [];
  for (const { topic, messages } of topics) {
    let ofTopic = partitions.get(topic);
    if (ofTopic === undefined) {
      ofTopic = [];
      partitions.set(topic, ofTopic);
    }
    for (const message of messages) {
      let each = ofTopic[message.partition];
      if (each === undefined) {
        each = { topic, partition: message.partition, messages: [] };
        ofTopic[message.partition] = each;
        all.push(each);
      }
      each.messages.push(message);
    }
  }
  return all;
}
