// A source, a broker and targets with the real commands between them, for end-to-end tests: everything that a test starts
// here ends with it.
import {
  compareElasticsearch,
  compareMongo,
  countDifferences,
  type Differences,
  type Elasticsearch,
  type Kafka,
  type KafkaCluster,
  type KafkaOptions,
  type Mongo,
  type MongoOptions,
  PipelineProcess,
  startElasticsearch,
  startKafka,
  startKafkaCluster,
  startMongo,
  waitFor,
} from '@tailwater/devstack';

export interface WorldOptions {
  readonly source?: MongoOptions;
  readonly elasticsearch?: boolean;
  readonly mongoTarget?: boolean;
}

/** The namespace part of what the commands are told: everything in `shop`. */
const INCLUDE = ['--include', 'shop.*'];
/** Ceiling of a wait for targets to be in step, in milliseconds; a slow machine does not reach it. */
const IN_STEP_TIMEOUT_MS = 150_000;

/** So many brokers has the Kafka of each test that does not ask for a number, or for one with settings of its own. */
const BROKERS = Number(process.env['TAILWATER_TEST_BROKERS'] ?? 1);

export class PipelineWorld<K extends Kafka | KafkaCluster = Kafka | KafkaCluster> implements AsyncDisposable {
  readonly source: Mongo;
  readonly kafka: K;
  readonly #elasticsearch: Elasticsearch | undefined;
  readonly #target: Mongo | undefined;
  readonly #processes: PipelineProcess[] = [];
  #prefix = 0;

  private constructor(source: Mongo, kafka: K, elasticsearch: Elasticsearch | undefined, target: Mongo | undefined) {
    this.source = source;
    this.kafka = kafka;
    this.#elasticsearch = elasticsearch;
    this.#target = target;
  }

  static start(options: WorldOptions & { readonly kafka?: KafkaOptions; readonly brokers?: number }): Promise<PipelineWorld> {
    const { kafka, brokers = BROKERS } = options;
    const starting: Promise<Kafka | KafkaCluster> = kafka === undefined && brokers > 1 ? startKafkaCluster({ brokers }) : startKafka(kafka);
    return PipelineWorld.on(starting, options);
  }

  /** The same on a Kafka that is being started, such as one of three brokers. */
  static async on<K extends Kafka | KafkaCluster>(starting: Promise<K>, options: WorldOptions): Promise<PipelineWorld<K>> {
    const [source, kafka, elasticsearch, target] = await Promise.all([
      startMongo(options.source ?? {}),
      starting,
      options.elasticsearch === true ? startElasticsearch({}) : undefined,
      options.mongoTarget === true ? startMongo({ members: 0 }) : undefined,
    ]);
    return new PipelineWorld(source, kafka, elasticsearch, target);
  }

  get elasticsearch(): Elasticsearch {
    if (this.#elasticsearch === undefined) throw new TypeError('This world was started without Elasticsearch');
    return this.#elasticsearch;
  }

  get target(): Mongo {
    if (this.#target === undefined) throw new TypeError('This world was started without a MongoDB target');
    return this.#target;
  }

  /** Topics of one test begin with a prefix of its own. */
  get prefix(): string {
    return `tw${this.#prefix}`;
  }

  /** Empties the source's and the targets' database `shop`, and gives the next test a prefix of its own. */
  async reset(): Promise<void> {
    await this.endProcesses();
    this.#prefix += 1;
    await (await this.source.client()).db('shop').dropDatabase();
    if (this.#target !== undefined) await (await this.#target.client()).db('shop').dropDatabase();
    if (this.#elasticsearch !== undefined) await fetch(`${this.#elasticsearch.url}/shop.*`, { method: 'DELETE' });
  }

  async producer(...args: string[]): Promise<PipelineProcess> {
    const common = ['--mongo', this.source.uri, '--kafka', this.kafka.brokers.join(','), '--prefix', this.prefix, ...INCLUDE];
    return this.#track(await PipelineProcess.start('producer', [...common, ...args]));
  }

  async elasticsearchConsumer(...args: string[]): Promise<PipelineProcess> {
    return this.#consumer('es', this.elasticsearch.url, args);
  }

  async mongoConsumer(...args: string[]): Promise<PipelineProcess> {
    return this.#consumer('mongo', this.target.uri, args);
  }

  /** A consumer into MongoDB through another address than the server's own, such as a proxy's. */
  async mongoConsumerThrough(uri: string, ...args: string[]): Promise<PipelineProcess> {
    return this.#consumer('mongo', uri, args);
  }

  async #consumer(target: string, url: string, args: readonly string[]): Promise<PipelineProcess> {
    const common = ['--target', target, '--target-url', url, '--kafka', this.kafka.brokers.join(','), '--prefix', this.prefix];
    return this.#track(await PipelineProcess.start('consumer', [...common, ...args]));
  }

  /** Waits until the collection of the MongoDB target has the source's documents, byte for byte. */
  async untilMongoEquals(collection: string): Promise<Differences> {
    return untilEqual(() => this.mongoDifferences(collection));
  }

  /** What differs between the collection of the source and that of the MongoDB target now. */
  async mongoDifferences(collection: string): Promise<Differences> {
    const [source, target] = await Promise.all([this.source.client(), this.target.client()]);
    return compareMongo(source, target, 'shop', collection);
  }

  /** Waits until the collection's index has the source's documents. */
  async untilElasticsearchEquals(collection: string): Promise<Differences> {
    const source = await this.source.client();
    return untilEqual(() => compareElasticsearch(source, this.elasticsearch.url, 'shop', collection));
  }

  /** The source of one indexed document, as the text that Elasticsearch answers with. */
  async elasticsearchSource(index: string, id: string): Promise<string> {
    const response = await fetch(`${this.elasticsearch.url}/${index}/_source/${encodeURIComponent(id)}`);
    return response.text();
  }

  async endProcesses(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((process) => process.stop()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.endProcesses();
    await Promise.all([this.source.stop(), this.kafka.stop(), this.#elasticsearch?.stop(), this.#target?.stop()]);
  }

  #track(process: PipelineProcess): PipelineProcess {
    this.#processes.push(process);
    return process;
  }
}

async function untilEqual(compare: () => Promise<Differences>): Promise<Differences> {
  return waitFor(compare, {
    until: (differences) => differences.compared > 0 && countDifferences(differences) === 0,
    describe: (last) => (last === undefined ? 'a comparison' : `equality: ${summary(last)}`),
    timeoutMs: IN_STEP_TIMEOUT_MS,
    intervalMs: 500,
  });
}

function summary({ compared, missing, extra, different }: Differences): string {
  const sample = (ids: string[]): string => `${ids.length}${ids.length === 0 ? '' : ` (${ids.slice(0, 3).join(', ')} …)`}`;
  return `${compared} compared, missing ${sample(missing)}, extra ${sample(extra)}, different ${sample(different)}`;
}
