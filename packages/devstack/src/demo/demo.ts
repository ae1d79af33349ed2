// The demo's course: servers, documents, the real commands as processes, a live mix, a comparison by content.
import { createLogger, createProgress, formatCount } from '@tailwater/runtime';
import type { Collection, MongoClient } from 'mongodb';
import { countDifferences } from '../compare/differences.js';
import { compareElasticsearch } from '../compare/elasticsearch-documents.js';
import { compareMongo } from '../compare/mongo-documents.js';
import { type Elasticsearch, startElasticsearch } from '../elasticsearch/elasticsearch.js';
import { type Kafka, startKafka } from '../kafka/kafka.js';
import type { Mongo } from '../mongo/mongo.js';
import { startMongo } from '../mongo/start-mongo.js';
import { PipelineProcess } from '../processes/pipeline-process.js';
import { waitFor } from '../support/wait-for.js';
import { mixedFields, mixedId } from '../workload/documents.js';
import { LiveMix } from '../workload/live-mix.js';
import { Random } from '../workload/random.js';
import type { Outcome, Step } from './outcome.js';

export type DemoTarget = 'es' | 'mongo';

export interface DemoOptions {
  readonly targets: readonly DemoTarget[];
  readonly documents: number;
  readonly seconds: number;
  /** Where progress is drawn. */
  readonly stream: NodeJS.WriteStream;
}

const DATABASE = 'shop';
const COLLECTIONS = ['orders', 'customers', 'products'] as const;
const PREFIX = 'demo';
const SEED = 20_260_101;
const INSERT_BATCH = 1000;
const IN_STEP_TIMEOUT_MS = 180_000;
/** Writes a second while the demo stays up. */
const IDLE_RATE = 20;

interface ProducerStatus {
  readonly snapshot: {
    readonly totals: { readonly state: string; readonly documents: number; readonly total: number; readonly rate: number };
  } | null;
  readonly counts: { readonly eventsPublished: number; readonly snapshotPublished: number } | null;
}

export class Demo {
  readonly #options: DemoOptions;
  readonly #random = new Random(SEED);
  readonly #started: { stop(): Promise<void> }[] = [];
  #source: Mongo | undefined;
  #kafka: Kafka | undefined;
  #elasticsearch: Elasticsearch | undefined;
  #target: Mongo | undefined;
  #producer: PipelineProcess | undefined;
  readonly #consumers = new Map<DemoTarget, PipelineProcess>();

  constructor(options: DemoOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<Outcome> {
    const { documents, seconds } = this.#options;
    await this.#say('starting MongoDB, Kafka and the targets', () => this.#startServers());
    signal.throwIfAborted();
    await this.#say(`loading ${formatCount(documents)} documents into the source`, () => this.#load());
    signal.throwIfAborted();
    const startedAtMs = performance.now();
    await this.#say('starting the producer and the consumers', () => this.#startPipeline());
    const copied = await this.#watchSnapshot(signal);
    const snapshotSeconds = since(startedAtMs);
    const mix = new LiveMix(await this.#collections(), this.#random, documents);
    await mix.adopt(2000);
    const mixStartedAtMs = performance.now();
    await this.#say(`writing inserts, updates, replacements and deletes for ${seconds} s`, () =>
      mix.run(AbortSignal.any([signal, AbortSignal.timeout(seconds * 1000)])),
    );
    const mixSeconds = since(mixStartedAtMs);
    const compared = await this.#say('comparing every document', () => this.#untilInStep(signal));
    const inStepSeconds = since(mixStartedAtMs);
    const status = await this.#producer?.status<ProducerStatus>();
    const published = status?.counts?.eventsPublished ?? 0;
    const steps: Step[] = [
      { what: 'snapshot to Kafka', documents: copied, events: copied, seconds: snapshotSeconds },
      { what: 'live mix, written', events: mix.operations, seconds: mixSeconds },
      { what: 'live mix, in Kafka', events: published, seconds: mixSeconds },
      ...compared.perTarget.map(({ target, differences }) => ({
        what: `${target === 'es' ? 'Elasticsearch' : 'MongoDB'}, in step`,
        documents: compared.documents,
        events: copied + published,
        seconds: snapshotSeconds + inStepSeconds,
        differences,
      })),
    ];
    const differences = compared.perTarget.reduce((sum, target) => sum + target.differences, 0);
    return { steps, documents: compared.documents, differences };
  }

  /** Where everything is, for a look around. */
  whereToLook(): string {
    const lines = [
      `MongoDB (source)    ${this.#source?.uri}`,
      `Kafka               ${this.#kafka?.brokers.join(',')}   topics ${PREFIX}.${DATABASE}.*`,
      ...(this.#elasticsearch === undefined ? [] : [`Elasticsearch       ${this.#elasticsearch.url}/${DATABASE}.orders/_search`]),
      ...(this.#target === undefined ? [] : [`MongoDB (target)    ${this.#target.uri}`]),
      `producer            ${this.#producer?.url}/status   /metrics`,
      ...[...this.#consumers].map(([target, process]) => `consumer ${target.padEnd(10)} ${process.url}/status   /metrics`),
    ];
    return `\nEverything stays up, with ${IDLE_RATE} writes a second, until Ctrl-C:\n\n  ${lines.join('\n  ')}\n\n`;
  }

  /** Goes on writing, gently, until the signal aborts. */
  async keepWriting(signal: AbortSignal): Promise<void> {
    const mix = new LiveMix(await this.#collections(), this.#random, 10_000_000, { rate: IDLE_RATE, batch: 2 });
    await mix.adopt(1000);
    await mix.run(signal);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#started.splice(0).map((part) => part.stop()));
  }

  async #startServers(): Promise<void> {
    const { targets } = this.#options;
    const track = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
      const part = await starting;
      this.#started.push(part);
      return part;
    };
    const results = await Promise.allSettled([
      track(startMongo({ oplogSizeMb: 200 })).then((source) => (this.#source = source)),
      track(startKafka({})).then((kafka) => (this.#kafka = kafka)),
      targets.includes('es') ? track(startElasticsearch({})).then((elasticsearch) => (this.#elasticsearch = elasticsearch)) : undefined,
      targets.includes('mongo') ? track(startMongo({ members: 0 })).then((target) => (this.#target = target)) : undefined,
    ]);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #load(): Promise<void> {
    const collections = await this.#collections();
    for (let from = 0; from < this.#options.documents; from += INSERT_BATCH) {
      const collection = collections[(from / INSERT_BATCH) % collections.length] as Collection;
      const count = Math.min(INSERT_BATCH, this.#options.documents - from);
      await collection.insertMany(
        Array.from({ length: count }, (_, n) => ({ _id: mixedId(this.#random, from + n) as never, ...mixedFields(this.#random) })),
      );
    }
  }

  async #startPipeline(): Promise<void> {
    const source = required(this.#source);
    const broker = ['--kafka', required(this.#kafka).brokers.join(','), '--prefix', PREFIX];
    const start = async (kind: 'producer' | 'consumer', args: readonly string[]): Promise<PipelineProcess> => {
      const process = await PipelineProcess.start(kind, [...broker, ...args]);
      this.#started.push(process);
      return process;
    };
    const [producer] = await Promise.all([
      start('producer', ['--mongo', source.uri, '--include', `${DATABASE}.*`]),
      ...this.#options.targets.map(async (target) => {
        const url = target === 'es' ? required(this.#elasticsearch).url : required(this.#target).uri;
        this.#consumers.set(target, await start('consumer', ['--target', target, '--target-url', url]));
      }),
    ]);
    this.#producer = producer;
  }

  async #watchSnapshot(signal: AbortSignal): Promise<number> {
    const logger = createLogger({ name: 'demo', format: 'pretty' });
    const progress = createProgress({ stream: this.#options.stream, logger, label: 'snapshot', unit: 'documents' });
    const status = await waitFor(
      async () => {
        const seen = await required(this.#producer).status<ProducerStatus>();
        const totals = seen.snapshot?.totals;
        if (totals !== undefined && totals.total > 0) progress.update({ done: totals.documents, total: totals.total, rate: totals.rate });
        return seen;
      },
      {
        until: ({ snapshot }) => snapshot?.totals.state === 'done',
        describe: 'the end of the snapshot',
        timeoutMs: IN_STEP_TIMEOUT_MS,
        intervalMs: 200,
        signal,
      },
    );
    const copied = status.counts?.snapshotPublished ?? 0;
    progress.finish(`${formatCount(copied)} documents copied into Kafka`);
    return copied;
  }

  /** Compares again and again until there is no difference; what differs after the patience is over is the outcome. */
  async #untilInStep(signal: AbortSignal): Promise<{ documents: number; perTarget: { target: DemoTarget; differences: number }[] }> {
    const deadline = performance.now() + IN_STEP_TIMEOUT_MS;
    for (;;) {
      const compared = await this.#compare();
      if (compared.perTarget.every(({ differences }) => differences === 0) || performance.now() > deadline) return compared;
      signal.throwIfAborted();
    }
  }

  async #compare(): Promise<{ documents: number; perTarget: { target: DemoTarget; differences: number }[] }> {
    const source = await required(this.#source).client();
    let documents = 0;
    const perTarget: { target: DemoTarget; differences: number }[] = [];
    for (const target of this.#options.targets) {
      let differences = 0;
      documents = 0;
      for (const collection of COLLECTIONS) {
        const result = await this.#compareCollection(source, target, collection);
        differences += countDifferences(result);
        documents += result.compared;
      }
      perTarget.push({ target, differences });
    }
    return { documents, perTarget };
  }

  async #compareCollection(source: MongoClient, target: DemoTarget, collection: string) {
    if (target === 'es') return compareElasticsearch(source, required(this.#elasticsearch).url, DATABASE, collection);
    return compareMongo(source, await required(this.#target).client(), DATABASE, collection);
  }

  async #collections(): Promise<Collection[]> {
    const client = await required(this.#source).client();
    return COLLECTIONS.map((name) => client.db(DATABASE).collection(name));
  }

  async #say<T>(what: string, work: () => Promise<T>): Promise<T> {
    this.#options.stream.write(`demo: ${what} … `);
    const startedAtMs = performance.now();
    const result = await work();
    this.#options.stream.write(`${since(startedAtMs).toFixed(1)} s\n`);
    return result;
  }
}

const since = (startedAtMs: number): number => (performance.now() - startedAtMs) / 1000;

function required<T>(part: T | undefined): T {
  if (part === undefined) throw new TypeError('The demo has not started this part');
  return part;
}
