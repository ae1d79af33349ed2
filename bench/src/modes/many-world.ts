// The servers and the two commands of the bench of many collections, and what it waits for.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type KafkaCluster, type Mongo, PipelineProcess } from '@tailwater/devstack';
import { order } from '../measure/documents.js';
import type { Watched } from '../measure/processor-time.js';
import { readMetric } from '../measure/watch-counter.js';
import { PARTITIONS } from './bench-stack.js';

const PREFIX = 'many';
const DATABASE = 'bench';
const FILLED_AT_ONCE = 16;
/** A ceiling that a slow machine does not reach, in milliseconds. */
const TIMEOUT_MS = 600_000;
/** The status of thousands of partitions takes a process some milliseconds. */
const POLL_MS = 500;
/** Topics are counted no more often, because a broker has to list all their partitions. */
const TOPICS_POLL_MS = 1000;
const WARNING = 40;

interface Servers {
  readonly kafka: KafkaCluster;
  readonly source: Mongo;
  readonly target: Mongo;
}

export class ManyWorld implements AsyncDisposable {
  readonly #servers: Servers;
  readonly #collections: number;
  readonly #documents: number;
  #commands: { readonly producer: PipelineProcess; readonly consumer: PipelineProcess } | undefined;

  /** @param documents - in each collection */
  constructor(servers: Servers, collections: number, documents: number) {
    this.#servers = servers;
    this.#collections = collections;
    this.#documents = documents;
  }

  get watched(): Watched {
    const { kafka, source, target } = this.#servers;
    const { producer, consumer } = this.#commands ?? {};
    const brokers = Object.fromEntries(kafka.nodes.map((node) => [node.name, node]));
    return { producer: { pid: producer?.pid }, consumer: { pid: consumer?.pid }, ...brokers, source, target };
  }

  async fill(): Promise<void> {
    const client = await this.#servers.source.client();
    let next = 0;
    const fill = async (): Promise<void> => {
      while (next < this.#collections) {
        const documents = Array.from({ length: this.#documents }, (_, n) => order(n));
        await client.db(DATABASE).collection(`c${next++}`).insertMany(documents);
      }
    };
    await Promise.all(Array.from({ length: FILLED_AT_ONCE }, fill));
  }

  /** Both at once, as they are started the first time. */
  async start(): Promise<void> {
    const { kafka, source, target } = this.#servers;
    const common = ['--kafka', kafka.brokers.join(','), '--prefix', PREFIX];
    const [producer, consumer] = await Promise.all([
      PipelineProcess.start('producer', [
        ...common,
        '--mongo',
        source.uri,
        '--include',
        `${DATABASE}.*`,
        '--partitions',
        String(PARTITIONS),
      ]),
      PipelineProcess.start('consumer', [...common, '--target', 'mongo', '--target-url', target.uri]),
    ]);
    this.#commands = { producer, consumer };
  }

  async topicsMade(): Promise<void> {
    await this.#servers.kafka.withAdmin((admin) =>
      until(async () => {
        const topics = await admin.listTopics();
        return topics.filter((topic) => topic.startsWith(`${PREFIX}.${DATABASE}.`)).length === this.#collections;
      }, TOPICS_POLL_MS),
    );
  }

  published(): Promise<void> {
    const { producer } = this.#running;
    return until(async () => (await readMetric(producer, 'tailwater_producer_snapshot_documents_published_total')) >= this.#total);
  }

  applied(): Promise<void> {
    const { consumer } = this.#running;
    return until(async () => (await readMetric(consumer, 'tailwater_consumer_changes_applied_total')) >= this.#total);
  }

  async counts(): Promise<{ transactions: number; rebalances: number }> {
    const { producer, consumer } = this.#running;
    const { membership } = await consumer.status<{ membership: { rebalances: number } }>();
    return { transactions: await readMetric(producer, 'tailwater_producer_transactions_total'), rebalances: membership.rebalances };
  }

  async stop(): Promise<void> {
    await Promise.all([this.#running.producer.shutdown(), this.#running.consumer.shutdown()]);
  }

  /** Starts both again, and gives the seconds until each is ready, and until the first write from then on is in the target. */
  async restart(): Promise<{ producer: number; consumer: number; firstWrite: number }> {
    const { source, target } = this.#servers;
    const startedAtMs = performance.now();
    const seconds = (): number => (performance.now() - startedAtMs) / 1000;
    const id = 'first write';
    await (await source.client()).db(DATABASE).collection<{ _id: string }>('c0').insertOne({ _id: id });
    const arrived = (await target.client()).db(DATABASE).collection<{ _id: string }>('c0');
    const ready = async (command: PipelineProcess): Promise<number> => {
      await command.start();
      await until(async () => (await fetch(`${command.url}/readyz`)).status === 200);
      return seconds();
    };
    const { producer, consumer } = this.#running;
    const firstWrite = until(async () => (await arrived.findOne({ _id: id })) !== null).then(seconds);
    const times = await Promise.all([ready(producer), ready(consumer), firstWrite]);
    return { producer: times[0], consumer: times[1], firstWrite: times[2] };
  }

  /** Lines of both logs that somebody must look at. */
  async warnings(): Promise<number> {
    const { producer, consumer } = this.#running;
    const logs = await Promise.all([producer, consumer].map(({ logFile }) => readFile(logFile, 'utf8')));
    const lines = logs.flatMap((log) => log.split('\n')).filter((line) => line.startsWith('{'));
    return lines.filter((line) => (JSON.parse(line) as { level: number }).level >= WARNING).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(Object.values(this.#commands ?? {}).map((command) => command.stop()));
  }

  get #total(): number {
    return this.#collections * this.#documents;
  }

  get #running(): { readonly producer: PipelineProcess; readonly consumer: PipelineProcess } {
    if (this.#commands === undefined) throw new TypeError('Nothing was started');
    return this.#commands;
  }
}

async function until(isSo: () => Promise<boolean>, pollMs = POLL_MS): Promise<void> {
  for (const deadline = performance.now() + TIMEOUT_MS; performance.now() < deadline; ) {
    if (await isSo()) return;
    await sleep(pollMs);
  }
  throw new Error(`The bench waited for more than ${TIMEOUT_MS} ms`);
}
