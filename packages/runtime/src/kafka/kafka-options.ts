// How both processes are told to reach Kafka: the brokers, TLS, and SASL.
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { missingOption } from '../config/load-options.js';
import { flagName, type OptionValues } from '../config/option.js';
import { leaves } from '../config/schema/configuration.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { KafkaConnection } from './connection.js';

const { kafka, kafkaTls, kafkaTlsCa, kafkaTlsCert, kafkaTlsKey, kafkaSasl, kafkaUser, kafkaPassword } = leaves;

export const kafkaOptions = { kafka, kafkaTls, kafkaTlsCa, kafkaTlsCert, kafkaTlsKey, kafkaSasl, kafkaUser, kafkaPassword } as const;

type KafkaOptionValues = OptionValues<typeof kafkaOptions>;

/**
 * The connection that the options describe.
 *
 * @throws TailwaterError TW1007 when half of a pair is missing, TW1017 for a file that cannot be read
 */
export function kafkaConnection(options: KafkaOptionValues, clientId: string): KafkaConnection {
  const ssl = tlsOf(options);
  const sasl = saslOf(options);
  return { brokers: options.kafka, clientId, ...(ssl === undefined ? {} : { ssl }), ...(sasl === undefined ? {} : { sasl }) };
}

function tlsOf(options: KafkaOptionValues): boolean | ConnectionOptions | undefined {
  requirePair(options, 'kafkaTlsCert', 'kafkaTlsKey');
  const ca = readOption(options, 'kafkaTlsCa');
  const cert = readOption(options, 'kafkaTlsCert');
  const key = readOption(options, 'kafkaTlsKey');
  if (ca === undefined && cert === undefined) return options.kafkaTls ? true : undefined;
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
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

function readOption(options: KafkaOptionValues, name: 'kafkaTlsCa' | 'kafkaTlsCert' | 'kafkaTlsKey'): string | undefined {
  const file = options[name];
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new TailwaterError('TW1017', { file, option: flagName(name), reason }, { cause: error });
  }
}
