// One Kafka process, broker and controller: alone, or one of a cluster's nodes.
import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JavaProgram } from '../artifacts/artifacts.js';
import { runTool } from '../artifacts/tool.js';
import { javaArgs, javaProcess } from '../supervision/jvm.js';
import type { ProcessSpec } from '../supervision/protocol.js';
import { SupervisedServer } from '../supervision/server.js';
import type { Supervisor } from '../supervision/supervisor.js';
import { withAdmin } from './admin.js';

const LOGGING = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
];

export interface BrokerOptions {
  readonly name: string;
  readonly nodeId: number;
  /** Of the plain listener, which devstack itself and the other brokers use. */
  readonly port: number;
  /** The same for all nodes of a cluster. */
  readonly clusterId: string;
  readonly program: JavaProgram;
  readonly supervisor: Supervisor;
  /** Where data, temporary files and settings are kept. */
  readonly directory: string;
  readonly heapMb: number;
  /** server.properties without `log.dirs`. */
  readonly properties: Readonly<Record<string, string | number | boolean>>;
  /** Flags of the JVM. */
  readonly flags?: readonly string[];
  /** Arguments that `StorageTool format` takes for users. */
  readonly users?: readonly string[];
}

export class KafkaBroker extends SupervisedServer {
  readonly nodeId: number;
  readonly #options: BrokerOptions;

  constructor(options: BrokerOptions) {
    super(options.name, options.port, options.supervisor);
    this.nodeId = options.nodeId;
    this.#options = options;
  }

  /** `127.0.0.1:<port>` of the plain listener. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  protected override async command(): Promise<ProcessSpec> {
    const { directory, program, heapMb, flags = [] } = this.#options;
    const data = join(directory, 'data');
    const properties = await this.#writeProperties(data);
    if (!(await exists(join(data, 'meta.properties')))) await this.#format(properties);
    const command = { program, heapMb, flags: [...LOGGING, ...flags], mainClass: 'kafka.Kafka', args: [properties] };
    return javaProcess(command, directory, this.logFile);
  }

  // The broker is listed when it has registered and its controller has let it in; only then do partitions get leaders.
  protected override async isReady(): Promise<boolean> {
    const { brokers } = await withAdmin([this.address], (admin) => admin.describeCluster());
    return brokers.some(({ nodeId }) => nodeId === this.nodeId);
  }

  async #writeProperties(data: string): Promise<string> {
    const { directory, properties } = this.#options;
    const path = join(directory, 'server.properties');
    const lines = Object.entries({ 'log.dirs': data, ...properties }).map(([name, value]) => `${name}=${escapeProperty(String(value))}\n`);
    await mkdir(directory, { recursive: true });
    await writeFile(path, lines.join(''));
    return path;
  }

  async #format(properties: string): Promise<void> {
    const { clusterId, directory, program, users = [] } = this.#options;
    const flags = [...LOGGING, '-XX:TieredStopAtLevel=1']; // it lives for a second
    const tool = { mainClass: 'kafka.tools.StorageTool', args: ['format', '-t', clusterId, '-c', properties, ...users] };
    const args = await javaArgs({ program, heapMb: 128, flags, ...tool }, directory);
    await runTool(program.java, args, { install: 'install a JDK' });
  }
}

/** Java takes a file of properties for Latin-1. */
const escapeProperty = (value: string): string =>
  value.replace(/[^ -~]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
