// A Kafka broker of one node, which is its own controller.
import { randomBytes } from 'node:crypto';
import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Admin, Kafka as KafkaClient, logLevel } from 'kafkajs';
import { Artifacts, type JavaProgram } from '../artifacts/artifacts.js';
import { runTool } from '../artifacts/tool.js';
import { javaArgs, javaProcess } from '../supervision/jvm.js';
import type { ProcessSpec } from '../supervision/protocol.js';
import { SupervisedServer } from '../supervision/server.js';
import { Supervisor } from '../supervision/supervisor.js';
import { freePort } from '../support/free-port.js';
import { waitFor } from '../support/wait-for.js';
import { brokerProperties, FAST_COMPACTION, type KafkaOptions } from './options.js';
import { type SecuredPorts, scramUsers, securityFlags, securityProperties } from './security.js';

const REQUEST_TIMEOUT_MS = 5_000;
const TOPIC_TIMEOUT_MS = 30_000;

const LOGGING = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS',
];

export interface TopicOptions {
  /** 1 by default. */
  readonly partitions?: number;
  /** Topic configuration: `cleanup.policy`, `max.message.bytes`. */
  readonly config?: Readonly<Record<string, string | number | boolean>>;
}

export interface KafkaPorts {
  readonly plain: number;
  readonly controller: number;
  readonly secured?: SecuredPorts;
}

export class Kafka extends SupervisedServer {
  readonly #program: JavaProgram;
  readonly #controllerPort: number;
  readonly #options: KafkaOptions;
  readonly #secured: SecuredPorts | undefined;

  constructor(program: JavaProgram, options: KafkaOptions, ports: KafkaPorts, supervisor: Supervisor) {
    super('kafka', ports.plain, supervisor);
    this.#program = program;
    this.#options = options;
    this.#controllerPort = ports.controller;
    this.#secured = ports.secured;
  }

  /** `127.0.0.1:<port>` */
  get brokers(): string[] {
    return [`127.0.0.1:${this.port}`];
  }

  /** `127.0.0.1:<port>` of one that `security` adds. */
  listener(name: keyof SecuredPorts): string {
    if (this.#secured === undefined) throw new TypeError('This broker was started without security');
    return `127.0.0.1:${this.#secured[name]}`;
  }

  /** Creates a topic and returns when every partition has a leader. A topic that exists is left as it is. */
  async createTopic(topic: string, options: TopicOptions = {}): Promise<void> {
    const configEntries = Object.entries(options.config ?? {}).map(([name, value]) => ({ name, value: String(value) }));
    await this.withAdmin(async (admin) => {
      // kafkajs waits for leaders by itself, but gives up when a broker that has just started does not know the topic at once.
      const topics = [{ topic, numPartitions: options.partitions ?? 1, replicationFactor: 1, configEntries }];
      await admin.createTopics({ waitForLeaders: false, topics });
      await waitFor(() => admin.fetchTopicMetadata({ topics: [topic] }), {
        describe: `leaders of all partitions of ${topic}`,
        until: ({ topics }) =>
          topics[0]?.partitions.length === (options.partitions ?? 1) && topics[0].partitions.every(({ leader }) => leader >= 0),
        timeoutMs: TOPIC_TIMEOUT_MS,
      });
    });
  }

  /** Runs something with an admin client that retries nothing, and disconnects it. */
  async withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const client = new KafkaClient({
      clientId: 'devstack',
      brokers: this.brokers,
      connectionTimeout: REQUEST_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      retry: { retries: 0 },
      logLevel: logLevel.NOTHING,
    });
    const admin = client.admin();
    try {
      await admin.connect();
      return await work(admin);
    } finally {
      await admin.disconnect();
    }
  }

  protected override async command(): Promise<ProcessSpec> {
    const { directory } = this.supervisor;
    const properties = await this.#writeProperties(directory);
    if (!(await exists(join(directory, 'data', 'meta.properties')))) await this.#format(properties);
    const { heapMb = 512, security } = this.#options;
    const flags = security === undefined ? LOGGING : [...LOGGING, ...securityFlags(security)];
    return javaProcess({ program: this.#program, heapMb, flags, mainClass: 'kafka.Kafka', args: [properties] }, directory, this.logFile);
  }

  // The broker is listed when it has registered and its controller has let it in; only then do partitions get leaders.
  protected override async isReady(): Promise<boolean> {
    const cluster = await this.withAdmin((admin) => admin.describeCluster());
    return cluster.brokers.length > 0;
  }

  async #writeProperties(directory: string): Promise<string> {
    const { fastCompaction, properties, security } = this.#options;
    const plain = brokerProperties(this.port, this.#controllerPort, join(directory, 'data'));
    const all = {
      ...plain,
      ...(security === undefined || this.#secured === undefined ? {} : securityProperties(plain, security, this.#secured)),
      ...(fastCompaction === true ? FAST_COMPACTION : {}),
      ...properties,
    };
    const path = join(directory, 'server.properties');
    const lines = Object.entries(all).map(([name, value]) => `${name}=${escapeProperty(String(value))}\n`);
    await writeFile(path, lines.join(''));
    return path;
  }

  async #format(properties: string): Promise<void> {
    const bytes = randomBytes(16);
    bytes[0] = (bytes[0] as number) & 0x7f; // in base64url it begins with a letter: the tool takes a dash for an option
    const clusterId = bytes.toString('base64url');
    const flags = [...LOGGING, '-XX:TieredStopAtLevel=1']; // it lives for a second
    const users = this.#options.security === undefined ? [] : scramUsers(this.#options.security);
    const tool = { mainClass: 'kafka.tools.StorageTool', args: ['format', '-t', clusterId, '-c', properties, ...users] };
    const args = await javaArgs({ program: this.#program, heapMb: 128, flags, ...tool }, this.supervisor.directory);
    await runTool(this.#program.java, args, { install: 'install a JDK' });
  }
}

/**
 * Starts Kafka 4.4.0 and returns when topics can be created.
 *
 * @throws {MissingPrerequisiteError} when Java 17 or Maven is missing
 * @throws {ServerStartError} with the end of the log, when it does not come up
 */
export async function startKafka(options: KafkaOptions = {}): Promise<Kafka> {
  const program = await (options.artifacts ?? new Artifacts()).kafka();
  const supervisor = await Supervisor.launch('kafka');
  try {
    const ports = {
      plain: options.port ?? (await freePort()),
      controller: await freePort(),
      ...(options.security === undefined ? {} : { secured: { ssl: await freePort(), saslSsl: await freePort() } }),
    };
    const kafka = new Kafka(program, options, ports, supervisor);
    await kafka.start();
    return kafka;
  } catch (error) {
    await supervisor.close();
    throw error;
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
