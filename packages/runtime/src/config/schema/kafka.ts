// `kafka:` how both processes reach Kafka, and the topics there.
import { z } from 'zod';
import { configOption, list, text, toggle } from '../option.js';

const group = 'Kafka';

export const kafka = {
  brokers: configOption('kafka', list().min(1).default(['127.0.0.1:9092']), {
    group,
    describe: 'Brokers to start from, host:port',
    expected: 'a list of brokers, host:port',
    placeholder: 'host:port',
  }),
  prefix: configOption('prefix', text().default('tailwater'), {
    group,
    describe: 'Prefix of all topics of a pipeline; the producer and its consumers share it',
  }),
  partitions: configOption('partitions', z.int().min(1).max(10_000).default(8), {
    group,
    describe: 'Partitions of topics that are created',
  }),
  replicationFactor: configOption('replicationFactor', z.int().min(-1).max(100).default(-1), {
    group,
    describe: 'Replicas of topics that are created; -1 leaves it to the brokers',
  }),
  valueFormat: configOption('valueFormat', z.enum(['avro', 'json']).default('avro'), {
    group,
    describe: 'Format of record values: avro, with the document as MongoDB’s BSON; or json, for readers that support neither',
  }),
  sessionTimeout: configOption('sessionTimeout', z.int().min(6).max(1800).default(10), {
    group,
    describe: 'Seconds without a heartbeat after which others take over: a standby producer, or the other consumers of the group',
  }),
  tls: {
    enabled: configOption('kafkaTls', toggle(), { group, describe: 'Connect by TLS; implied by the files below' }),
    ca: configOption('kafkaTlsCa', text().optional(), {
      group,
      describe: 'PEM file of the CA that signed the brokers’ certificates; by default the well-known ones',
      placeholder: 'file',
    }),
    cert: configOption('kafkaTlsCert', text().optional(), {
      group,
      describe: 'PEM file of this client’s certificate',
      placeholder: 'file',
    }),
    key: configOption('kafkaTlsKey', text().optional(), {
      group,
      describe: 'PEM file of its private key, if that is not in the same file',
      placeholder: 'file',
    }),
    keyPassword: configOption('kafkaTlsKeyPassword', text().optional(), {
      group,
      describe: 'Password of that key, if it has one; better given in a file or as TAILWATER_KAFKA_TLS_KEY_PASSWORD',
      secret: 'value',
    }),
  },
  sasl: {
    mechanism: configOption('kafkaSasl', z.enum(['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer']).optional(), {
      group,
      describe: 'How to authenticate',
    }),
    user: configOption('kafkaUser', text().optional(), { group, describe: 'User for --kafka-sasl; for oauthbearer the client id' }),
    password: configOption('kafkaPassword', text().optional(), {
      group,
      describe: 'Password for --kafka-sasl, or the client secret; better given in a file or as TAILWATER_KAFKA_PASSWORD',
      secret: 'value',
    }),
    oauth: {
      tokenUrl: configOption('kafkaOauthTokenUrl', text().optional(), {
        group,
        describe: 'Token server for oauthbearer, which gives tokens for the client’s id and secret',
        secret: 'uri',
        placeholder: 'https://…',
      }),
      scope: configOption('kafkaOauthScope', text().optional(), { group, describe: 'Scopes to ask it for, separated by spaces' }),
      ca: configOption('kafkaOauthTlsCa', text().optional(), {
        group,
        describe: 'PEM file of the CA that signed its certificate; by default the well-known ones',
        placeholder: 'file',
      }),
      tokenFile: configOption('kafkaOauthTokenFile', text().optional(), {
        group,
        describe: 'File with the token instead, read again for each connection',
        placeholder: 'file',
      }),
    },
  },
  schemaRegistry: {
    url: configOption('schemaRegistry', text().optional(), {
      group: 'Schema registry',
      describe:
        'URL of a schema registry with Confluent’s API, several of one cluster separated by commas; values then name their schema by its id there',
      secret: 'uri',
      placeholder: 'http://…',
    }),
    user: configOption('schemaRegistryUser', text().optional(), { group: 'Schema registry', describe: 'User for basic authentication' }),
    password: configOption('schemaRegistryPassword', text().optional(), {
      group: 'Schema registry',
      describe: 'Its password; better given in a file or as TAILWATER_SCHEMA_REGISTRY_PASSWORD',
      secret: 'value',
    }),
    token: configOption('schemaRegistryToken', text().optional(), {
      group: 'Schema registry',
      describe: 'Bearer token instead; better given in a file or as TAILWATER_SCHEMA_REGISTRY_TOKEN',
      secret: 'value',
    }),
    tls: {
      ca: configOption('schemaRegistryTlsCa', text().optional(), {
        group: 'Schema registry',
        describe: 'PEM file of the CA that signed the registry’s certificate; by default the well-known ones',
        placeholder: 'file',
      }),
    },
  },
} as const;
