// How Kafka is asked for.
import { randomBytes } from 'node:crypto';
import type { Artifacts } from '../artifacts/artifacts.js';
import type { KafkaSecurity } from './security.js';

interface CommonOptions {
  /** Lines of server.properties that replace or add to those of `brokerProperties`. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** Lets the log cleaner work within seconds, for tests of compaction; without it Kafka's defaults apply. */
  readonly fastCompaction?: boolean;
  /** JVM heap in megabytes: 512 by default, 384 each for the brokers of a cluster. */
  readonly heapMb?: number;
  readonly artifacts?: Artifacts;
}

export interface KafkaOptions extends CommonOptions {
  /** A free port by default; the controller of the same process gets a free one in any case. */
  readonly port?: number;
  /** Listeners with TLS and SASL beside the plain one. */
  readonly security?: KafkaSecurity;
}

export interface KafkaClusterOptions<P extends BrokerProxy = BrokerProxy> extends CommonOptions {
  /** 3 by default. */
  readonly brokers?: number;
  /** Of the first broker, free by default; the others get free ones. */
  readonly port?: number;
  /**
   * Starts what stands between clients and one broker, such as `FaultProxy.start`: clients learn no other address of it. The
   * brokers among themselves, and what devstack asks, do not go through it.
   */
  readonly proxy?: (port: number) => Promise<P>;
}

/** Forwards to one broker from a port of its own. */
export interface BrokerProxy extends AsyncDisposable {
  readonly port: number;
}

export interface BrokerPlace {
  readonly nodeId: number;
  readonly port: number;
  readonly controllerPort: number;
}

/**
 * What one of these nodes needs, and what keeps its start short; everything that clients notice stays Kafka's own.
 *
 * @param nodes all that vote; a node alone replicates nothing
 */
export function brokerProperties({ nodeId, port, controllerPort }: BrokerPlace, nodes: readonly BrokerPlace[]): Record<string, string> {
  const replicas = String(Math.min(3, nodes.length));
  const inSync = String(Math.min(2, nodes.length));
  return {
    'process.roles': 'broker,controller',
    'node.id': String(nodeId),
    'controller.quorum.voters': nodes.map((node) => `${node.nodeId}@127.0.0.1:${node.controllerPort}`).join(),
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    // A topic that was created automatically would have none of the settings that it needs.
    'auto.create.topics.enable': 'false',
    'default.replication.factor': replicas,
    'min.insync.replicas': inSync,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': inSync,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': inSync,
    // 50 each by default, which take seconds to make.
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'log.cleaner.dedupe.buffer.size': String(16 * 1024 * 1024),
  };
}

/** A second listener, which clients are sent to: they reach the broker through whatever listens on `advertised`. */
export function clientListener(plain: Readonly<Record<string, string>>, port: number, advertised: number): Record<string, string> {
  return {
    listeners: `${plain['listeners']},CLIENT://127.0.0.1:${port}`,
    'advertised.listeners': `${plain['advertised.listeners']},CLIENT://127.0.0.1:${advertised}`,
    'listener.security.protocol.map': `${plain['listener.security.protocol.map']},CLIENT:PLAINTEXT`,
  };
}

/** A broker alone that was killed may register again only when its old session has ended. */
export const SHORT_SESSION: Readonly<Record<string, string>> = {
  'broker.session.timeout.ms': '3000',
  'broker.heartbeat.interval.ms': '500',
};

export const FAST_COMPACTION: Readonly<Record<string, string>> = {
  'log.cleaner.backoff.ms': '200',
  'log.cleaner.min.cleanable.ratio': '0.01',
  'log.roll.ms': '1000',
};

/** 16 random bytes in base64url that begin with a letter: the tool takes a dash for an option. */
export function newClusterId(): string {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0] as number) & 0x7f;
  return bytes.toString('base64url');
}
