// How both processes are told to reach Kafka: the brokers, TLS, and SASL.
import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import type { SASLOptions } from 'kafkajs';
import { defineOptions, flagName, type OptionValues, variableName } from '../config/option-spec.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { KafkaConnection } from './connection.js';

const group = 'Kafka:';

export const kafkaOptions = defineOptions({
  kafka: { type: 'list', group, describe: 'Brokers to start from, host:port', default: ['127.0.0.1:9092'] },
  kafkaTls: { type: 'boolean', group, describe: 'Connect by TLS; implied by the files below' },
  kafkaTlsCa: {
    type: 'string',
    group,
    describe: 'PEM file of the CA that signed the brokers’ certificates; by default the well-known ones',
  },
  kafkaTlsCert: { type: 'string', group, describe: 'PEM file of this client’s certificate' },
  kafkaTlsKey: { type: 'string', group, describe: 'PEM file of its private key' },
  kafkaSasl: { type: 'string', group, describe: 'How to authenticate', choices: ['plain', 'scram-sha-256', 'scram-sha-512'] },
  kafkaUser: { type: 'string', group, describe: 'User for --kafka-sasl' },
  kafkaPassword: { type: 'string', group, describe: 'Password for --kafka-sasl; better given as TAILWATER_KAFKA_PASSWORD', secret: true },
});

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
  const missing = options[one] === undefined ? one : other;
  const variable = variableName(missing, kafkaOptions[missing]);
  throw new TailwaterError('TW1007', { flag: flagName(missing), variable, key: missing });
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
