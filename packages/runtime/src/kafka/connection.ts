// How to reach Kafka: what the configuration says, checked.

import type { ConnectionOptions } from 'node:tls';
import type { Mechanism, SASLOptions } from 'kafkajs';
import { errorCodes } from '../errors/catalogue.js';
import { redactAddress } from '../errors/redact.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { TokenSource } from './token-source.js';

const DEFAULT_PORT = 9092;
const BROKER = /^([A-Za-z0-9._-]+)(?::(\d{1,5}))?$/;

export interface KafkaConnection {
  /** `host:port` each; without a port, 9092. */
  readonly brokers: readonly string[];
  /** The name under which brokers log and meter this process. */
  readonly clientId: string;
  readonly ssl?: boolean | ConnectionOptions;
  readonly sasl?: SASLOptions | Mechanism;
  /** Where `sasl` has its tokens from, if it is about tokens. */
  readonly tokens?: TokenSource;
}

/**
 * The brokers as kafkajs wants them.
 *
 * @throws TailwaterError TW1016 for one that is not `host` or `host:port` (kafkajs takes no IPv6 addresses), or if the list is empty
 */
export function parseBrokers(brokers: readonly string[]): string[] {
  if (brokers.length === 0) throw new TailwaterError(errorCodes.BAD_BROKER_ADDRESS, { broker: '(none)' });
  return brokers.map((broker) => {
    const [, host, port = DEFAULT_PORT] = BROKER.exec(broker.trim()) ?? [];
    if (host === undefined || Number(port) > 65_535)
      throw new TailwaterError(errorCodes.BAD_BROKER_ADDRESS, { broker: redactAddress(broker) });
    return `${host}:${port}`;
  });
}
