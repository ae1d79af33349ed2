// The kafkajs client with settings under which a broker that is away for an hour costs an hour and nothing else.
import { type Admin, type AdminConfig, Kafka, type KafkaConfig } from 'kafkajs';
import type { Logger } from '../logging/logger.js';
import { RequestTimes } from '../metrics/request-times.js';
import './codecs.js';
import './kafkajs-mends.js';
import { BrokerHealth } from './broker-health.js';
import { adminWithCluster } from './cluster-of.js';
import { type KafkaConnection, parseBrokers } from './connection.js';
import { tellCoordinatorRefusals } from './coordinator-refusals.js';
import { createKafkajsLogBridge, kafkajsLogLevel } from './kafkajs-log-bridge.js';

/** kafkajs's second is too short for a broker behind a busy link or in a garbage collection. */
const CONNECTION_TIMEOUT_MS = 5_000;
const AUTHENTICATION_TIMEOUT_MS = 15_000;

/**
 * - a `process` waits for its broker: it tries without end, in practice
 * - a `command`, which a person waits for, ends (promise H): it waits half a minute for a broker that begins again, and two minutes for one that says nothing
 */
const PATIENCE = {
  process: { retry: { initialRetryTime: 100, multiplier: 1.8, maxRetryTime: 10_000, retries: 1_000_000 } },
  command: { retry: { initialRetryTime: 300, multiplier: 2, maxRetryTime: 8_000, retries: 9 }, requestTimeout: 10_000 },
} satisfies Record<string, Pick<KafkaConfig, 'retry' | 'requestTimeout'>>;

type KafkaUser = keyof typeof PATIENCE;

/** A kafkajs client that knows where it connects to. */
export class KafkaClient extends Kafka {
  readonly connection: KafkaConnection;
  /** The brokers for messages: `kafka1:9092,kafka2:9092`. */
  readonly brokers: string;
  /** How long brokers take for what is asked of them beside kafkajs. */
  readonly times = new RequestTimes();

  constructor(connection: KafkaConnection, logger: Logger, user: KafkaUser) {
    const brokers = parseBrokers(connection.brokers);
    const health = new BrokerHealth(logger);
    super({
      brokers,
      clientId: connection.clientId,
      ...(connection.ssl === undefined ? {} : { ssl: connection.ssl }),
      ...(connection.sasl === undefined ? {} : { sasl: connection.sasl }),
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      authenticationTimeout: AUTHENTICATION_TIMEOUT_MS,
      ...PATIENCE[user],
      logLevel: kafkajsLogLevel(logger),
      logCreator: createKafkajsLogBridge(logger, health),
      socketFactory: health.socketFactory,
    });
    tellCoordinatorRefusals(this);
    this.connection = connection;
    this.brokers = brokers.join(',');
  }

  override admin(config?: AdminConfig): Admin {
    return adminWithCluster(this, () => super.admin(config));
  }
}

/**
 * Nothing is connected yet: {@link checkKafka} does that with a time limit, before a process waits for ever.
 *
 * @throws TailwaterError TW1016 for a malformed broker address
 */
export function createKafka(connection: KafkaConnection, logger: Logger, user: KafkaUser = 'process'): KafkaClient {
  // Partitions are chosen by the producer itself, so kafkajs's notice about its new default is of no use to anyone.
  process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
  return new KafkaClient(connection, logger, user);
}
