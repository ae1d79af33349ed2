// How both processes are told to reach Kafka: the brokers, TLS, and SASL.
import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { missingOption } from '../config/load-options.js';
import type { OptionValues } from '../config/option.js';
import { leaves } from '../config/schema/configuration.js';
import { readTlsFiles } from '../tls/tls-files.js';
import type { KafkaConnection } from './connection.js';

const { kafka, kafkaTls, kafkaTlsCa, kafkaTlsCert, kafkaTlsKey, kafkaTlsKeyPassword, kafkaSasl, kafkaUser, kafkaPassword } = leaves;
const tls = { kafkaTls, kafkaTlsCa, kafkaTlsCert, kafkaTlsKey, kafkaTlsKeyPassword } as const;
const sasl = { kafkaSasl, kafkaUser, kafkaPassword } as const;

export const kafkaOptions = { kafka, ...tls, ...sasl } as const;

type KafkaOptionValues = OptionValues<typeof kafkaOptions>;

/**
 * The connection that the options describe.
 *
 * @throws TailwaterError TW1007 when half of a pair is missing, TW1017 and TW1040 to TW1043 for files that are not usable
 */
export function kafkaConnection(options: KafkaOptionValues, clientId: string): KafkaConnection {
  const [ssl, user] = [tlsOf(options), saslOf(options)];
  return { brokers: options.kafka, clientId, ...(ssl === undefined ? {} : { ssl }), ...(user === undefined ? {} : { sasl: user }) };
}

function tlsOf(options: KafkaOptionValues): boolean | ConnectionOptions | undefined {
  const { kafkaTlsCa: ca, kafkaTlsCert: cert, kafkaTlsKey: key, kafkaTlsKeyPassword: keyPassword } = options;
  return readTlsFiles({ flag: '--kafka-tls', ca, cert, key, keyPassword }) ?? (options.kafkaTls ? true : undefined);
}

function saslOf(options: KafkaOptionValues): SASLOptions | undefined {
  const { kafkaSasl: mechanism, kafkaUser: username, kafkaPassword: password } = options;
  requirePair(options, 'kafkaUser', 'kafkaSasl');
  requirePair(options, 'kafkaUser', 'kafkaPassword');
  if (mechanism === undefined || username === undefined || password === undefined) return undefined;
  return { mechanism, username, password } as SASLOptions;
}

function requirePair(options: KafkaOptionValues, one: keyof KafkaOptionValues, other: keyof KafkaOptionValues): void {
  if ((options[one] === undefined) === (options[other] === undefined)) return;
  throw missingOption(options[one] === undefined ? one : other);
}
