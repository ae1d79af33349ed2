// How both processes are told to reach Kafka: the brokers, TLS, and SASL.
import type { ConnectionOptions } from 'node:tls';
import type { OptionValues } from '../config/option.js';
import { configOptions } from '../config/schema/configuration.js';
import { readTlsFiles } from '../tls/tls-files.js';
import type { KafkaConnection } from './connection.js';
import { saslOf, saslOptions } from './sasl-options.js';

const { kafka, kafkaTls, kafkaTlsCa, kafkaTlsCert, kafkaTlsKey, kafkaTlsKeyPassword } = configOptions;
const tls = { kafkaTls, kafkaTlsCa, kafkaTlsCert, kafkaTlsKey, kafkaTlsKeyPassword } as const;

export const kafkaOptions = { kafka, ...tls, ...saslOptions } as const;

type KafkaOptionValues = OptionValues<typeof kafkaOptions>;

/**
 * The connection that the options describe.
 *
 * @throws TailwaterError TW1006 for a malformed URL, TW1007 when half of a pair is missing, TW1015 for options that exclude each other,
 *   TW1017 and TW1040 to TW1043 for files that are not usable
 */
export function kafkaConnection(options: KafkaOptionValues, clientId: string): KafkaConnection {
  const ssl = tlsOf(options);
  return { brokers: options.kafka, clientId, ...(ssl === undefined ? {} : { ssl }), ...saslOf(options) };
}

function tlsOf(options: KafkaOptionValues): boolean | ConnectionOptions | undefined {
  const { kafkaTlsCa: ca, kafkaTlsCert: cert, kafkaTlsKey: key, kafkaTlsKeyPassword: keyPassword } = options;
  return readTlsFiles({ flag: '--kafka-tls', ca, cert, key, keyPassword }) ?? (options.kafkaTls ? true : undefined);
}
