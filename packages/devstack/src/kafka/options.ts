// How a Kafka broker is asked for.
import type { Artifacts } from '../artifacts/artifacts.js';
import type { KafkaSecurity } from './security.js';

export interface KafkaOptions {
  /** Free ports by default; the controller of the same process gets a free one in any case. */
  readonly port?: number;
  /** Lines of server.properties that replace or add to those of `brokerProperties`. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
  /** Lets the log cleaner work within seconds, for tests of compaction; without it Kafka's defaults apply. */
  readonly fastCompaction?: boolean;
  /** JVM heap in megabytes; 512 by default. */
  readonly heapMb?: number;
  /** Listeners with TLS and SASL beside the plain one. */
  readonly security?: KafkaSecurity;
  readonly artifacts?: Artifacts;
}

/** What a broker of one node needs, and what keeps its start short; the limits on messages stay Kafka's own. */
export function brokerProperties(port: number, controllerPort: number, logDirectory: string): Record<string, string> {
  return {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': logDirectory,
    // A topic that nobody created would have none of the settings that it needs.
    'auto.create.topics.enable': 'false',
    // There is one broker to replicate to.
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    // 50 each by default, which a broker of one node spends seconds on.
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '4',
    'group.initial.rebalance.delay.ms': '0',
    // A broker that was killed may register again only when its old session has ended.
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'log.cleaner.dedupe.buffer.size': String(16 * 1024 * 1024),
  };
}

export const FAST_COMPACTION: Readonly<Record<string, string>> = {
  'log.cleaner.backoff.ms': '200',
  'log.cleaner.min.cleanable.ratio': '0.01',
  'log.roll.ms': '1000',
};
