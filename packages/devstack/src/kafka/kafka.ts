// A Kafka broker of one node, which is its own controller.
import type { Admin } from 'kafkajs';
import { Artifacts } from '../artifacts/artifacts.js';
import { Supervisor } from '../supervision/supervisor.js';
import { freePort } from '../support/free-port.js';
import { createTopic, type TopicOptions, withAdmin } from './admin.js';
import { type BrokerOptions, KafkaBroker } from './broker.js';
import { brokerProperties, FAST_COMPACTION, type KafkaOptions, newClusterId, SHORT_SESSION } from './options.js';
import { type SecuredPorts, scramUsers, securityFlags, securityProperties } from './security.js';

export class Kafka extends KafkaBroker {
  readonly #secured: SecuredPorts | undefined;

  constructor(options: BrokerOptions, secured: SecuredPorts | undefined) {
    super(options);
    this.#secured = secured;
  }

  /** `127.0.0.1:<port>` */
  get brokers(): string[] {
    return [this.address];
  }

  /** `127.0.0.1:<port>` of one that `security` adds. */
  listener(name: keyof SecuredPorts): string {
    if (this.#secured === undefined) throw new TypeError('This broker was started without security');
    return `127.0.0.1:${this.#secured[name]}`;
  }

  /** Creates a topic and returns when every partition has a leader. A topic that exists is left as it is. */
  async createTopic(topic: string, options: TopicOptions = {}): Promise<void> {
    await this.withAdmin((admin) => createTopic(admin, topic, options, 1));
  }

  /** Runs something with an admin client that retries nothing, and disconnects it. */
  withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    return withAdmin(this.brokers, work);
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
    const node = { nodeId: 1, port: options.port ?? (await freePort()), controllerPort: await freePort() };
    const secured = options.security === undefined ? undefined : { ssl: await freePort(), saslSsl: await freePort() };
    const plain = brokerProperties(node, [node]);
    const { security, heapMb = 512 } = options;
    const properties = {
      ...plain,
      ...SHORT_SESSION,
      ...(security === undefined || secured === undefined ? {} : securityProperties(plain, security, secured)),
      ...(options.fastCompaction === true ? FAST_COMPACTION : {}),
      ...options.properties,
    };
    const flags = security === undefined ? [] : securityFlags(security);
    const users = security === undefined ? [] : scramUsers(security);
    const common = { name: 'kafka', directory: supervisor.directory, clusterId: newClusterId(), program, supervisor };
    const kafka = new Kafka({ ...common, nodeId: 1, port: node.port, heapMb, properties, flags, users }, secured);
    await kafka.start();
    return kafka;
  } catch (error) {
    await supervisor.close();
    throw error;
  }
}
