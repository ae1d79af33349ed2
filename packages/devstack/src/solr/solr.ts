// A Solr server: standalone, or SolrCloud of one node with its ZooKeeper in the same process.
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent, fetch } from 'undici';
import { Artifacts, type JavaProgram } from '../artifacts/artifacts.js';
import { ASSETS } from '../artifacts/jars.js';
import { DevstackError } from '../errors.js';
import { javaProcess } from '../supervision/jvm.js';
import type { ProcessSpec } from '../supervision/protocol.js';
import { SupervisedServer } from '../supervision/server.js';
import { Supervisor } from '../supervision/supervisor.js';
import { freePort } from '../support/free-port.js';
import type { SolrOptions } from './options.js';
import { basic, securityJson } from './security.js';

const PROBE_TIMEOUT_MS = 5_000;
const CREATE_TIMEOUT_MS = 60_000;
// The ordinal of UpdateLog.State.ACTIVE: it is past replaying, buffering and applying what was buffered.
const UPDATE_LOG_ACTIVE = 3;
const CONFIGSET = '_default';

interface CoreStatus {
  readonly status: Record<string, { readonly startTime?: string; readonly lastPublished?: string }>;
}

interface ReplicaState {
  readonly state: string;
  readonly node_name: string;
  readonly leader?: string;
}

interface ClusterState {
  readonly cluster: {
    readonly live_nodes: readonly string[];
    readonly collections: Record<string, { readonly shards: Record<string, { readonly replicas: Record<string, ReplicaState> }> }>;
  };
}

interface CoreMetrics {
  readonly metrics: Record<string, { readonly 'TLOG.state'?: number }>;
}

export class Solr extends SupervisedServer {
  readonly mode: 'standalone' | 'cloud';
  /** `9.10.1` */
  readonly version: string;
  readonly #program: JavaProgram;
  readonly #options: SolrOptions;
  readonly #zooKeeperPort: number;

  constructor(program: JavaProgram, options: SolrOptions, port: number, zooKeeperPort: number, supervisor: Supervisor) {
    super('solr', port, supervisor);
    this.mode = options.mode ?? 'standalone';
    this.version = program.version;
    this.#program = program;
    this.#options = options;
    this.#zooKeeperPort = zooKeeperPort;
  }

  /** `http://127.0.0.1:<port>/solr`, by TLS `https:`; a core or collection follows as `/<name>`. */
  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}/solr`;
  }

  /** Creates a core, or in the cloud a collection of one replica per shard. Only a collection has more than one shard. */
  async create(name: string, options: { readonly shards?: number } = {}): Promise<void> {
    const { shards = 1 } = options;
    if (this.mode === 'cloud') {
      await this.#get('admin/collections', { action: 'CREATE', name, numShards: String(shards), 'collection.configName': CONFIGSET });
      return;
    }
    if (shards !== 1) throw new DevstackError(`A core has one shard: start Solr with mode cloud for ${shards}`);
    await this.#get('admin/cores', { action: 'CREATE', name, configSet: CONFIGSET });
  }

  /** Deletes a core or a collection with its data. */
  async delete(name: string): Promise<void> {
    if (this.mode === 'cloud') await this.#get('admin/collections', { action: 'DELETE', name });
    else await this.#get('admin/cores', { action: 'UNLOAD', core: name, deleteInstanceDir: 'true' });
  }

  get #home(): string {
    return join(this.supervisor.directory, 'home');
  }

  protected override async command(): Promise<ProcessSpec> {
    const { directory } = this.supervisor;
    const home = this.#home;
    // Once: cores share the folder, and fields that were added to their schema meanwhile must outlive a restart.
    const once = { recursive: true, force: false } as const;
    await cp(join(ASSETS, 'solr', 'home'), home, once);
    await cp(this.#options.configset ?? join(ASSETS, 'solr', 'configset'), join(home, 'configsets', CONFIGSET, 'conf'), once);
    const { auth, tls } = this.#options;
    if (auth !== undefined) await writeFile(join(home, 'security.json'), securityJson(auth));
    const flags = [
      '-Dlog4j2.disable.jmx=true',
      `-Dlog4j2.configurationFile=${join(home, 'log4j2.xml')}`,
      `-Dsolr.install.dir=${directory}`,
      ...(tls === undefined ? [] : [`-Dtailwater.keyStore=${tls.keyStore}`, `-Dtailwater.keyStorePassword=${tls.password}`]),
      ...(this.mode === 'cloud' ? await this.#cloudFlags(directory, home) : []),
    ];
    const heapMb = this.#options.heapMb ?? 768;
    const main = { mainClass: 'tailwater.devstack.SolrServer', args: [String(this.port), home] };
    return javaProcess({ program: this.#program, heapMb, flags, ...main }, directory, this.logFile);
  }

  // A restarted server answers before its cores are loaded, and those before their update logs are replayed.
  protected override async isReady(): Promise<boolean> {
    const { status } = await this.#get<CoreStatus>('admin/cores', { action: 'STATUS', indexInfo: 'false' }, PROBE_TIMEOUT_MS);
    for (const name of await this.#coresOnDisk()) if (!this.#isServing(status[name])) return false;
    const { metrics } = await this.#get<CoreMetrics>('admin/metrics', { group: 'core', prefix: 'TLOG.state' }, PROBE_TIMEOUT_MS);
    if (Object.values(metrics).some((core) => core['TLOG.state'] !== UPDATE_LOG_ACTIVE)) return false;
    return this.mode === 'standalone' || this.#isWhole();
  }

  // The server itself lists only those that it has got round to.
  async #coresOnDisk(): Promise<string[]> {
    const entries = await readdir(this.#home, { withFileTypes: true });
    const folders = entries.filter((entry) => entry.isDirectory() && existsSync(join(this.#home, entry.name, 'core.properties')));
    return folders.map(({ name }) => name);
  }

  // What ZooKeeper says about replicas may be from before the restart; what a core has published since is not.
  #isServing(core: CoreStatus['status'][string] | undefined): boolean {
    if (core?.startTime === undefined) return false;
    return this.mode === 'standalone' || core.lastPublished === 'active';
  }

  // A commit reaches only the replicas that the cluster's state lists as active: before all are, it leaves shards out.
  async #isWhole(): Promise<boolean> {
    const { cluster } = await this.#get<ClusterState>('admin/collections', { action: 'CLUSTERSTATUS' }, PROBE_TIMEOUT_MS);
    const isServing = ({ state, node_name }: ReplicaState) => state === 'active' && cluster.live_nodes.includes(node_name);
    const shards = Object.values(cluster.collections).flatMap((collection) => Object.values(collection.shards));
    return (
      cluster.live_nodes.length > 0 &&
      shards.every(({ replicas }) => {
        const states = Object.values(replicas);
        return states.every(isServing) && states.some(({ leader }) => leader === 'true');
      })
    );
  }

  // The embedded ZooKeeper reads its zoo.cfg from where the distribution would have it.
  async #cloudFlags(directory: string, home: string): Promise<string[]> {
    const folder = join(directory, 'server', 'solr');
    await mkdir(folder, { recursive: true });
    const lines = [
      'tickTime=2000',
      'initLimit=10',
      'syncLimit=5',
      'admin.enableServer=false',
      `dataDir=${join(directory, 'zookeeper')}`,
      `clientPort=${this.#zooKeeperPort}`,
    ];
    await writeFile(join(folder, 'zoo.cfg'), `${lines.join('\n')}\n`);
    return ['-DzkRun', '-Dsolr.zk.embedded.host=127.0.0.1', `-Dsolr.default.confdir=${join(home, 'configsets', CONFIGSET, 'conf')}`];
  }

  async #get<T>(path: string, parameters: Record<string, string>, timeoutMs = CREATE_TIMEOUT_MS): Promise<T> {
    const query = new URLSearchParams({ ...parameters, wt: 'json' });
    const { auth, tls } = this.#options;
    const headers = auth === undefined ? {} : { authorization: basic(auth.admin) };
    const trust = tls === undefined ? {} : { dispatcher: new Agent({ connect: { ca: await readFile(tls.ca) } }) };
    const response = await fetch(`${this.url}/${path}?${query}`, { headers, signal: AbortSignal.timeout(timeoutMs), ...trust });
    const body = await response.text();
    if (!response.ok) throw new DevstackError(`Solr refused ${path}?${query} (${response.status}): ${body.slice(0, 500)}`);
    return JSON.parse(body) as T;
  }
}

/**
 * Starts Solr 9.10.1 and returns when cores or collections can be created.
 *
 * @throws {MissingPrerequisiteError} when Java 17 or Maven is missing
 * @throws {ServerStartError} with the end of the log, when it does not come up
 */
export async function startSolr(options: SolrOptions = {}): Promise<Solr> {
  const program = await (options.artifacts ?? new Artifacts()).solr();
  const supervisor = await Supervisor.launch('solr');
  try {
    const solr = new Solr(program, options, options.port ?? (await freePort()), await freePort(), supervisor);
    await solr.start();
    return solr;
  } catch (error) {
    await supervisor.close();
    throw error;
  }
}
