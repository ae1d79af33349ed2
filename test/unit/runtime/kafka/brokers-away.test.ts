// A replication factor that Kafka refuses: a mistake where no topic has as many replicas, and a broker that restarts where one has.
import kafkajs from 'kafkajs';
import { expect, it } from 'vitest';
import { toCreationError } from '#runtime/kafka/topics/brokers-away.js';

const { KafkaJSProtocolError } = kafkajs;
const refused = (type: string): Error => new KafkaJSProtocolError({ type, code: 38, message: type } as never);

const meant = (error: unknown, replicationFactor: number, replicas: readonly number[]) =>
  toCreationError(error, { topic: 'tw.shop.orders', replicationFactor }, 'k:9092', async () =>
    replicas.map((count) => ({ replicas: count })),
  );

it.each([
  [3, [1, 3], true],
  [3, [1, 2], false],
  [5, [3, 3], false],
  [2, [3], true],
  // The default of the brokers: whatever it is, one broker alone never fulfils it.
  [-1, [1, 3], true],
  [-1, [1, 1], false],
  [-1, [], false],
])('of %i, where topics have %j: passes %s', async (factor, replicas, passes) => {
  const error = refused('INVALID_REPLICATION_FACTOR');
  const told = await meant(error, factor, replicas);
  if (!passes) expect(told).toBe(error);
  else {
    expect(told).toMatchObject({ code: 'TW1224', retriable: true, cause: error });
    expect(String(told)).toContain('tw.shop.orders');
  }
});

it('asks nobody about other failures', async () => {
  const error = refused('TOPIC_AUTHORIZATION_FAILED');
  const asked = async (): Promise<never> => expect.unreachable();
  expect(await toCreationError(error, { topic: 't', replicationFactor: 3 }, 'k', asked)).toBe(error);
});
