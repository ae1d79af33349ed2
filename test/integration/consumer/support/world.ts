// A broker, targets, a publisher that writes what the producer would, and consumers to watch, for tests of the whole pipeline.

import { type Kafka, type KafkaCluster, type Mongo, startKafka, startMongo, waitFor } from '@tailwater/devstack';
import { createKafka, createLogger, type KafkaClient, systemClock } from '@tailwater/runtime';
import {
  deadLetterTopicName,
  encodeChangeEvent,
  type Namespace,
  Position,
  partitionOf,
  recordKeyOf,
  SchemaIds,
  tombstoneHeaders,
  topicName,
} from '@tailwater/schema';
import { BSON, type Document } from 'bson';
import type { Message, Producer } from 'kafkajs';
import type { LanesOptions } from '#consumer/apply/lanes.js';
import type { DeadLetter } from '#consumer/dead-letters/dead-letter.js';
import { DeadLetterWriter } from '#consumer/dead-letters/dead-letter-writer.js';
import { ErrorPolicy, type OnError } from '#consumer/dead-letters/error-policy.js';
import { DeadLetterTopic } from '#consumer/dead-letters/kafka-dead-letter-topic.js';
import { Pipeline } from '#consumer/pipeline.js';
import { KafkaSubscription } from '#consumer/subscribe/kafka.js';
import { MongoTarget } from '#consumer/targets/mongo/mongo.js';
import type { Target } from '#consumer/targets/target.js';
import { Destinations } from '#consumer/transform/destinations.js';
import { createTransform } from '#consumer/transform/transform.js';

const logger = createLogger({ name: 'test', level: 'silent' });
export const PARTITIONS = 4;

/** A document to publish as it is, or a delete of the `_id`. */
export type Published = { readonly document: Document } | { readonly removed: unknown };

export class World<K extends Kafka | KafkaCluster = Kafka> {
  readonly kafka: K;
  readonly mongo: Mongo;
  readonly client: KafkaClient;
  producer: Producer;
  readonly #running: RunningConsumer[] = [];
  /** Records by topic. */
  readonly #published = new Map<string, number>();
  readonly #partitions = new Map<string, number>();
  #sequence = 0;

  private constructor(kafka: K, mongo: Mongo, client: KafkaClient, producer: Producer) {
    this.kafka = kafka;
    this.mongo = mongo;
    this.client = client;
    this.producer = producer;
  }

  static start(): Promise<World> {
    return World.on(startKafka());
  }

  static async on<K extends Kafka | KafkaCluster>(starting: Promise<K>): Promise<World<K>> {
    const [kafka, mongo] = await Promise.all([starting, startMongo({ members: 0 })]);
    const client = createKafka({ brokers: kafka.brokers, clientId: 'test' }, logger);
    return new World(kafka, mongo, client, await connectProducer(client));
  }

  /** Another producer takes over, which knows nothing of what was: kafkajs asks a broker that is gone again and again. */
  async renewProducer(): Promise<void> {
    await this.producer.disconnect();
    this.producer = await connectProducer(this.client);
  }

  async stop(): Promise<void> {
    await this.stopConsumers();
    await this.producer.disconnect();
    await Promise.all([this.kafka.stop(), this.mongo.stop()]);
  }

  async createTopic(
    prefix: string,
    namespace: Namespace,
    settings: { partitions?: number; tombstonesKeptMs?: number; config?: Readonly<Record<string, string | number | boolean>> } = {},
  ): Promise<void> {
    const { partitions = PARTITIONS, tombstonesKeptMs = 604_800_000 } = settings;
    const kept = 'nodes' in this.kafka ? { 'min.insync.replicas': 2 } : {};
    const own = { 'cleanup.policy': 'compact', 'max.message.bytes': 20_971_520, 'delete.retention.ms': tombstonesKeptMs, ...kept };
    const config = { ...own, ...settings.config };
    const topic = topicName(prefix, namespace);
    await this.kafka.createTopic(topic, { partitions, config });
    this.#partitions.set(topic, partitions);
  }

  async deleteTopic(prefix: string, namespace: Namespace): Promise<void> {
    const topic = topicName(prefix, namespace);
    await this.kafka.withAdmin((admin) => admin.deleteTopics({ topics: [topic] }));
    this.#published.delete(topic);
  }

  /** Publishes in one transaction, as the producer does; later calls carry later positions. */
  async publish(prefix: string, namespace: Namespace, changes: readonly Published[], end: 'commit' | 'abort' = 'commit'): Promise<void> {
    const topic = topicName(prefix, namespace);
    const transaction = await this.producer.transaction();
    await transaction.send({ topic, messages: this.messages(prefix, namespace, changes) });
    await transaction[end]();
    this.#published.set(topic, (this.#published.get(topic) ?? 0) + changes.length);
  }

  /** What is to be published of these changes; later calls carry later positions. */
  messages(
    prefix: string,
    namespace: Namespace,
    changes: readonly Published[],
  ): (Message & { readonly key: Buffer; readonly partition: number })[] {
    const partitions = this.#partitions.get(topicName(prefix, namespace)) ?? PARTITIONS;
    return changes.map((each) => this.#message(namespace, each, partitions));
  }

  /** Publishes a value as it is, to the first partition. */
  async publishRaw(prefix: string, namespace: Namespace, value: Buffer): Promise<void> {
    const transaction = await this.producer.transaction();
    await transaction.send({ topic: topicName(prefix, namespace), messages: [{ key: '"raw"', value, partition: 0 }] });
    await transaction.commit();
  }

  #message(namespace: Namespace, change: Published, partitions: number): Message & { readonly key: Buffer; readonly partition: number } {
    this.#sequence += 1;
    const position = new Position(1_700_000_000, this.#sequence);
    const key = Buffer.from(recordKeyOf('document' in change ? change.document['_id'] : change.removed));
    const partition = partitionOf(key, partitions);
    if ('removed' in change) return { key, partition, value: null, headers: tombstoneHeaders({ position, origin: 'tail', wallTimeMs: 0 }) };
    const document = Buffer.from(BSON.serialize(change.document));
    const rest = { op: 'insert', origin: 'tail', wallTimeMs: 0, transaction: null, updateDescription: null } as const;
    return { key, partition, value: encodeChangeEvent({ ...rest, namespace, position, document }) };
  }

  consumer(prefix: string, options: ConsumerOptions = {}): RunningConsumer {
    const consumer = new RunningConsumer(this.client, options.target ?? this.mongoTarget(), prefix, options);
    this.#running.push(consumer);
    return consumer;
  }

  mongoTarget(url = this.mongo.uri): MongoTarget {
    return new MongoTarget({ url, connectTimeoutMs: 1000, requestTimeoutMs: 30_000 });
  }

  /** All dead letters of the consumers of this prefix. */
  async lettersOf(prefix: string): Promise<DeadLetter[]> {
    const { signal } = new AbortController();
    const letters = this.letters(prefix);
    const all: DeadLetter[] = [];
    for await (const letter of letters.read(await letters.index(() => true, signal), signal)) all.push(letter);
    return all;
  }

  /** The dead letters of the consumers of this prefix. */
  letters(prefix: string): DeadLetterTopic {
    return new DeadLetterTopic(this.client, deadLetterTopicName(prefix, 'test'), logger);
  }

  async stopConsumers(): Promise<void> {
    await Promise.all(this.#running.splice(0).map((consumer) => consumer.stop().catch(() => undefined)));
  }

  /** Everything in a collection of the target, by `_id`. */
  async stored({ database, collection }: Namespace): Promise<Map<unknown, Document>> {
    const client = await this.mongo.client();
    const documents = await client.db(database).collection(collection).find().toArray();
    return new Map(documents.map((document) => [document._id as unknown, document]));
  }

  /** Records of the topic, and their transactions' markers, that the group has not committed. */
  async lag(prefix: string, namespace: Namespace): Promise<number> {
    const topic = topicName(prefix, namespace);
    return this.kafka.withAdmin(async (admin) => {
      const ends = await admin.fetchTopicOffsets(topic);
      const [committed] = await admin.fetchOffsets({ groupId: `${prefix}.test`, topics: [topic] });
      const end = ends.reduce((sum, { high }) => sum + Number(high), 0);
      const read = (committed?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
      // A transaction's records count at the end of a partition only some moments after its commit, when its marker is written.
      return Math.max(end, this.#published.get(topic) ?? 0) - read;
    });
  }

  async untilCommitted(prefix: string, namespace: Namespace): Promise<void> {
    await waitFor(() => this.lag(prefix, namespace), {
      describe: (lag) => `lag 0, not ${lag}`,
      until: (lag) => lag === 0,
      timeoutMs: 60_000,
    });
  }
}

async function connectProducer(client: KafkaClient): Promise<Producer> {
  const retry = { retries: 100, initialRetryTime: 5 };
  const producer = client.producer({ idempotent: true, transactionalId: 'test', maxInFlightRequests: 1, retry });
  await producer.connect();
  return producer;
}

export interface ConsumerOptions {
  readonly target?: Target;
  readonly apply?: Partial<LanesOptions>;
  readonly includes?: (namespace: Namespace) => boolean;
  readonly onError?: OnError;
  /** Default 200, so that tests need not wait. */
  readonly topicPollMs?: number;
}

export class RunningConsumer {
  readonly pipeline: Pipeline;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #target: Target;
  readonly #letters: DeadLetterTopic;
  readonly failures: string[] = [];

  constructor(client: KafkaClient, target: Target, prefix: string, options: ConsumerOptions) {
    this.#target = target;
    this.#letters = new DeadLetterTopic(client, deadLetterTopicName(prefix, 'test'), logger);
    const subscription = new KafkaSubscription(
      client,
      {
        groupId: `${prefix}.test`,
        sessionTimeoutMs: 6_000,
        fetchBytes: 2 * 1024 * 1024,
        topicPollMs: options.topicPollMs ?? 200,
        filter: { prefix, includes: options.includes ?? (() => true) },
      },
      logger,
    );
    this.pipeline = new Pipeline(
      {
        subscription,
        target,
        schemas: new SchemaIds(),
        transform: createTransform({
          destinations: new Destinations(
            (namespace) => namespace,
            (namespace) => target.nameOf(namespace),
          ),
        }),
        errorPolicy: new ErrorPolicy(
          { writer: new DeadLetterWriter(this.#letters), clock: systemClock, logger },
          options.onError ?? 'dead-letter',
          target.kind,
        ),
        clock: systemClock,
        hooks: { onRequest: () => undefined, onRetry: ({ code }) => this.failures.push(code) },
        logger,
      },
      {
        prefix,
        commitIntervalMs: 100,
        releaseGraceMs: 2_000,
        apply: {
          lanes: 4,
          batch: { count: 100, bytes: 4 * 1024 * 1024, lingerMs: 1 },
          buffer: { count: 1000, bytes: 8 * 1024 * 1024 },
          retry: { minMs: 10, maxMs: 200 },
          ...options.apply,
        },
      },
    );
    this.#running = this.pipeline.run(this.#stop.signal);
    this.#running.catch(() => undefined);
  }

  get partitions(): number {
    return [...this.pipeline.partitions].filter(({ revoked }) => !revoked).length;
  }

  /** Settles when the pipeline does; rejects with what ended it. */
  get ended(): Promise<void> {
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    try {
      await this.#running;
    } finally {
      await this.#letters.close();
      await this.#target.close();
    }
  }
}
