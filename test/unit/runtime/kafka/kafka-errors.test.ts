import { createRequire } from 'node:module';
import { TailwaterError, toKafkaError } from '@tailwater/runtime';
import {
  KafkaJSAggregateError,
  KafkaJSConnectionError,
  KafkaJSNonRetriableError,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSProtocolError,
  KafkaJSSASLAuthenticationError,
  KafkaJSServerDoesNotSupportApiKey,
} from 'kafkajs';
import { describe, expect, it } from 'vitest';

const { createErrorFromCode } = createRequire(import.meta.url)('kafkajs/src/protocol/error.js') as {
  createErrorFromCode(code: number): Error;
};
// Its types forget the constructor's argument.
const SaslError = KafkaJSSASLAuthenticationError as unknown as new (text: string) => Error;
const connectionError = (code: string) => new KafkaJSConnectionError(`Connection error: ${code}`, { broker: 'b:1', code });

describe('toKafkaError', () => {
  it.each([
    ['SASL_AUTHENTICATION_FAILED', 58, 'TW1202'],
    ['INVALID_PRODUCER_EPOCH', 47, 'TW1205'],
    ['MESSAGE_TOO_LARGE', 10, 'TW1204'],
    ['TOPIC_AUTHORIZATION_FAILED', 29, 'TW1208'],
    ['GROUP_AUTHORIZATION_FAILED', 30, 'TW1208'],
    ['UNKNOWN_TOPIC_OR_PARTITION', 3, 'TW1209'],
    ['NOT_ENOUGH_REPLICAS', 19, 'TW1211'],
    ['LEADER_NOT_AVAILABLE', 5, 'TW1318'],
    ['NOT_LEADER_FOR_PARTITION', 6, 'TW1318'],
    ['INVALID_REPLICATION_FACTOR', 38, 'TW1212'],
  ])('knows %s (%i) as %s', (_type, code, expected) => {
    const error = createErrorFromCode(code);
    expect(toKafkaError(error, 'b:1')).toMatchObject({ code: expected, cause: error });
  });

  it.each([
    [new SaslError('SASL PLAIN authentication failed'), 'TW1202'],
    [connectionError('ECONNREFUSED'), 'TW1201'],
    [connectionError('DEPTH_ZERO_SELF_SIGNED_CERT'), 'TW1210'],
    [connectionError('ERR_TLS_CERT_ALTNAME_INVALID'), 'TW1210'],
    [new KafkaJSServerDoesNotSupportApiKey('x', { apiKey: 22, apiName: 'InitProducerId' }), 'TW1213'],
  ])('knows %s as %s', (error, expected) => {
    expect(toKafkaError(error, 'b:1')).toMatchObject({ code: expected });
  });

  it('looks behind kafkajs’s wrappers', () => {
    const inner = new KafkaJSProtocolError(createErrorFromCode(29));
    expect(toKafkaError(Object.assign(new KafkaJSNonRetriableError('failed'), { cause: inner }), 'b:1')).toMatchObject({ code: 'TW1208' });
    expect(toKafkaError(new KafkaJSAggregateError('failed', [inner]), 'b:1')).toMatchObject({ code: 'TW1208' });
    const exceeded = new KafkaJSNumberOfRetriesExceeded(connectionError('ECONNREFUSED'), { retryCount: 1, retryTime: 1 });
    expect(toKafkaError(exceeded, 'b:1')).toMatchObject({ code: 'TW1201', message: 'Cannot reach Kafka at b:1', retriable: true });
  });

  it('leaves the rest as it is', () => {
    const other = new RangeError('x');
    const coded = new TailwaterError('TW1403', { path: 'p' });
    expect(toKafkaError(other, 'b:1')).toBe(other);
    expect(toKafkaError(coded, 'b:1')).toBe(coded);
    expect(toKafkaError(undefined, 'b:1')).toBeUndefined();
  });
});
