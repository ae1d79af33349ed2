// The servers of a benchmark, and the backlog that they hold.
import {
  type Elasticsearch,
  type Kafka,
  type Mongo,
  PipelineProcess,
  type Solr,
  startElasticsearch,
  startKafka,
  startMongo,
  startSolr,
} from '@tailwater/devstack';
import { positionMessage, snapshotMessage } from '@tailwater/producer';
import { Position } from '@tailwater/schema';
import { Kafka as KafkaClient, logLevel } from 'kafkajs';
import type { Collection, Document } from 'mongodb';
import { order } from '../measure/documents.js';

export const PARTITIONS = 8;
const INSERT_BATCH = 5000;

export class BenchStack implements AsyncDisposable {
  readonly source: Mongo;
  readonly kafka: Kafka;
  readonly client: KafkaClient;
  readonly #more: AsyncDisposable[] = [];

  private constructor(source: Mongo, kafka: Kafka) {
    this.source = source;
    this.kafka = kafka;
    this.client = new KafkaClient({ clientId: 'bench', brokers: kafka.brokers, logLevel: logLevel.NOTHING });
  }

  static async start(): Promise<BenchStack> {
    const [source, kafka] = await Promise.all([startMongo({ oplogSizeMb: 2000 }), startKafka({})]);
    return new BenchStack(source, kafka);
  }

  async elasticsearch(): Promise<Elasticsearch> {
    const server = await startElasticsearch({});
    this.#more.push(server);
    return server;
  }

  async solr(): Promise<Solr> {
    const server = await startSolr({ heapMb: 1024 });
    this.#more.push(server);
    return server;
  }

  async mongoTarget(): Promise<Mongo> {
    const server = await startMongo({ members: 0 });
    this.#more.push(server);
    return server;
  }

  /** Inserts documents, and returns the oplog's position before the first. */
  async insert(documents: number): Promise<Position> {
    return this.#write(documents, async (collection, orders) => void (await collection.insertMany(orders)));
  }

  /** Inserts documents and updates each once: twice as many events. */
  async insertAndUpdate(documents: number): Promise<Position> {
    return this.#write(documents, async (collection, orders) => {
      await collection.insertMany(orders);
      const update = { $set: { state: 'returned' }, $inc: { total: 1 } };
      await collection.bulkWrite(orders.map(({ _id }) => ({ updateOne: { filter: { _id }, update } })));
    });
  }

  /** Inserts documents in one transaction; small ones, because all of them must fit into the server's cache. */
  async insertAtOnce(documents: number): Promise<Position> {
    const client = await this.source.client();
    await client.db('bench').createCollection('orders');
    return client.withSession((session) =>
      session.withTransaction(() =>
        this.#write(documents, async (collection, orders) => {
          await collection.insertMany(orders.map(small), { session });
        }),
      ),
    );
  }

  async #write(documents: number, write: (collection: Collection, orders: Document[]) => Promise<void>): Promise<Position> {
    const client = await this.source.client();
    const { lastWrite } = await client.db('admin').command({ hello: 1 });
    const { ts } = lastWrite.majorityOpTime;
    const collection = client.db('bench').collection('orders');
    for (let from = 0; from < documents; from += INSERT_BATCH) {
      const count = Math.min(INSERT_BATCH, documents - from);
      await write(
        collection,
        Array.from({ length: count }, (_, n) => order(from + n)),
      );
    }
    return new Position(ts.getHighBitsUnsigned(), ts.getLowBitsUnsigned());
  }

  /** Lets the producer of this prefix believe that it has copied the collection and read the oplog up to here. */
  async seedCheckpoint(prefix: string, position: Position): Promise<void> {
    const topic = `${prefix}.checkpoints`;
    await this.kafka.createTopic(topic, { config: { 'cleanup.policy': 'compact', 'max.message.bytes': 20 * 1024 * 1024 } });
    const producer = this.client.producer();
    await producer.connect();
    const source = this.source.replicaSet ?? '';
    const done = { state: 'done', ranges: [], documents: 0, total: 0, startedAtMs: 0, finishedAtMs: 0 } as const;
    await producer.send({
      topic,
      messages: [positionMessage(source, position, Date.now()), snapshotMessage(source, 'bench.orders', done)],
    });
    await producer.disconnect();
  }

  producer(prefix: string, args: readonly string[] = []): Promise<PipelineProcess> {
    const connection = ['--mongo', this.source.uri, '--kafka', this.kafka.brokers.join(','), '--prefix', prefix];
    return PipelineProcess.start('producer', [
      ...connection,
      ...['--include', 'bench.orders', '--partitions', String(PARTITIONS), ...args],
    ]);
  }

  consumer(prefix: string, args: readonly string[]): Promise<PipelineProcess> {
    return PipelineProcess.start('consumer', ['--kafka', this.kafka.brokers.join(','), '--prefix', prefix, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.source.stop(), this.kafka.stop(), ...this.#more.map((server) => server[Symbol.asyncDispose]())]);
  }
}

const small = ({ _id, number, state }: Document): Document => ({ _id, number, state });
