// The topic of dead letters as it must be, so that a letter, whose record's offset is committed, stays until it is removed (promise E).
import {
  BrokerConnections,
  describeTopics,
  type KafkaClient,
  KEEPING_RULES,
  keptSettings,
  type Logger,
  readMetadata,
  readTopics,
  TopicAdvice,
  type TopicUse,
  toCreationError,
} from '@tailwater/runtime';
import kafkajs, { type Admin } from 'kafkajs';

const { KafkaJSAggregateError, KafkaJSProtocolError } = kafkajs;

/** A record of the largest document that its own topic takes, and a letter's headers. */
const MAX_MESSAGE_BYTES = 24 * 1024 * 1024;
/** As many as the brokers have by default. */
const SHAPE = { partitions: 1, replicationFactor: -1 };
const SETTINGS = { 'cleanup.policy': 'compact', 'max.message.bytes': String(MAX_MESSAGE_BYTES) };

const DEAD_LETTERS: TopicUse = {
  name: 'dead letters',
  rules: [
    {
      setting: 'cleanup.policy',
      isGood: (value) => value === SETTINGS['cleanup.policy'],
      better: SETTINGS['cleanup.policy'],
      why: 'a letter goes with its age, whether or not somebody looked at it',
    },
    {
      setting: 'max.message.bytes',
      isGood: (value) => Number(value) >= MAX_MESSAGE_BYTES,
      better: SETTINGS['max.message.bytes'],
      why: 'the letter of a larger document is not taken',
    },
    ...KEEPING_RULES,
  ],
};

export class DeadLetterTopicAdmin {
  readonly #kafka: KafkaClient;
  readonly #topic: string;
  readonly #logger: Logger;
  readonly #advice: TopicAdvice;

  constructor(kafka: KafkaClient, topic: string, logger: Logger) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#logger = logger;
    this.#advice = new TopicAdvice(kafka.brokers, undefined, logger);
  }

  /** Creates it unless it exists, and tells of settings that are not those that it needs. */
  async create(): Promise<void> {
    await this.#asking(async (admin, connections) => {
      if (await this.#create(admin, connections)) this.#logger.info({ topic: this.#topic }, 'Created the topic of dead letters');
      await this.#compare(admin, connections);
    });
  }

  /** Tells of settings that are not those that it needs, where it exists. */
  async compare(): Promise<void> {
    await this.#asking((admin, connections) => this.#compare(admin, connections));
  }

  async #asking(work: (admin: Admin, connections: BrokerConnections) => Promise<void>): Promise<void> {
    const [admin, connections] = [this.#kafka.admin(), new BrokerConnections(this.#kafka)];
    try {
      await admin.connect();
      await work(admin, connections);
    } finally {
      connections.close();
      await admin.disconnect();
    }
  }

  /** @returns whether it did not exist */
  async #create(admin: Admin, connections: BrokerConnections): Promise<boolean> {
    const kept = await keptSettings(connections, this.#topic, SHAPE);
    const configEntries = Object.entries({ ...SETTINGS, ...kept }).map(([name, value]) => ({ name, value }));
    const { partitions, replicationFactor } = SHAPE;
    try {
      // Without waiting for its leader, for which kafkajs gives up soon; the producer waits for it as long as it takes.
      return await admin.createTopics({
        waitForLeaders: false,
        topics: [{ topic: this.#topic, numPartitions: partitions, replicationFactor, configEntries }],
      });
    } catch (error) {
      const cause = error instanceof KafkaJSAggregateError ? error.errors[0] : error;
      if (cause instanceof KafkaJSProtocolError && cause.type === 'TOPIC_ALREADY_EXISTS') return false;
      const existing = async () => (await readMetadata(await connections.any(), () => true)).topics.values();
      throw await toCreationError(error, { topic: this.#topic, replicationFactor }, this.#kafka.brokers, existing);
    }
  }

  /** What cannot be seen, for a lack of rights or because a broker does not know the topic yet, is not told. */
  async #compare(admin: Admin, connections: BrokerConnections): Promise<void> {
    try {
      const { brokers, topics } = await readTopics(await connections.any(), [this.#topic]);
      const found = topics.get(this.#topic);
      if (found === undefined) return;
      const settings = DEAD_LETTERS.rules.map(({ setting }) => setting);
      this.#advice.found(DEAD_LETTERS, await describeTopics(admin, [found], settings), brokers.length);
    } catch (error) {
      this.#logger.debug({ err: error, topic: this.#topic }, 'The settings of the topic of dead letters are not known');
    }
  }
}
