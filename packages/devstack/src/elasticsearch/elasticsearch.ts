// An Elasticsearch of one node. The published jars lack the security plugin and a few modules, `GET /` among them.
import { Artifacts, type ElasticsearchMajor, type JavaProgram } from '../artifacts/artifacts.js';
import { javaProcess } from '../supervision/jvm.js';
import type { ProcessSpec } from '../supervision/protocol.js';
import { SupervisedServer } from '../supervision/server.js';
import { Supervisor } from '../supervision/supervisor.js';
import { freePort } from '../support/free-port.js';
import { type ElasticsearchOptions, type ElasticsearchSettings, nodeSettings, REJECTION_SETTINGS, type RejectionKind } from './options.js';

const PROBE_TIMEOUT_MS = 5_000;

const FLAGS: Record<ElasticsearchMajor, readonly string[]> = {
  8: ['-Dlog4j2.disable.jmx=true'],
  9: [
    '-Dlog4j2.disable.jmx=true',
    '--add-modules=jdk.incubator.vector',
    '--enable-native-access=ALL-UNNAMED',
    '--sun-misc-unsafe-memory-access=allow',
  ],
};

export class Elasticsearch extends SupervisedServer {
  /** `8.19.21` */
  readonly version: string;
  readonly #program: JavaProgram;
  readonly #options: ElasticsearchOptions;
  #temporarySettings: ElasticsearchSettings = {};

  constructor(program: JavaProgram, options: ElasticsearchOptions, port: number, supervisor: Supervisor) {
    super('elasticsearch', port, supervisor);
    this.version = program.version;
    this.#program = program;
    this.#options = options;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Restarts the node with these settings on top of those it was asked for; `{}` takes them back. Data stays. */
  async restartWith(settings: ElasticsearchSettings): Promise<void> {
    this.#temporarySettings = settings;
    await this.restart();
  }

  /** Has the node refuse writes in one of three ways; it is restarted for it. */
  async forceRejections(kind: RejectionKind): Promise<void> {
    await this.restartWith(REJECTION_SETTINGS[kind]);
  }

  /** Undoes `forceRejections`, with another restart. */
  async endRejections(): Promise<void> {
    await this.restartWith({});
  }

  protected override command(): Promise<ProcessSpec> {
    const { directory } = this.supervisor;
    const settings = { ...nodeSettings(this.port), ...this.#options.settings, ...this.#temporarySettings };
    const args = [directory, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)];
    const { heapMb = 1024, version = 8 } = this.#options;
    const mainClass = 'org.elasticsearch.node.SingleNode';
    return javaProcess({ program: this.#program, heapMb, flags: FLAGS[version], mainClass, args }, directory, this.logFile);
  }

  // Yellow: every primary shard is there. A restarted node answers before its shards are back.
  protected override async isReady(): Promise<boolean> {
    const query = 'wait_for_status=yellow&timeout=1s';
    const response = await fetch(`${this.url}/_cluster/health?${query}`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok;
  }
}

/**
 * Starts Elasticsearch 8.19.21 or 9.5.3 and returns when all its primary shards are there.
 *
 * @throws {MissingPrerequisiteError} when Java (17, or 21 for release 9) or Maven is missing
 * @throws {ServerStartError} with the end of the log, when it does not come up
 */
export async function startElasticsearch(options: ElasticsearchOptions = {}): Promise<Elasticsearch> {
  const program = await (options.artifacts ?? new Artifacts()).elasticsearch(options.version ?? 8);
  const supervisor = await Supervisor.launch('elasticsearch');
  try {
    const elasticsearch = new Elasticsearch(program, options, options.port ?? (await freePort()), supervisor);
    await elasticsearch.start();
    return elasticsearch;
  } catch (error) {
    await supervisor.close();
    throw error;
  }
}
