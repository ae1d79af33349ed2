import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Kafka, startKafka, waitFor } from '@tailwater/devstack';
import { Kafka as Client, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTopic } from '#test/support/read-topic.js';
import { isAlive } from './support/processes.js';

async function produce(kafka: Kafka, topic: string, messages: readonly { key: string; value: string }[]): Promise<void> {
  const producer = new Client({ brokers: kafka.brokers, logLevel: logLevel.NOTHING, retry: { retries: 1 } }).producer();
  await producer.connect();
  await producer.send({ topic, messages: [...messages], acks: -1 });
  await producer.disconnect();
}

async function endOffset(kafka: Kafka, topic: string): Promise<string | undefined> {
  return kafka.withAdmin(async (admin) => (await admin.fetchTopicOffsets(topic))[0]?.high);
}

describe('a Kafka broker', () => {
  let kafka: Kafka;
  beforeAll(async () => {
    kafka = await startKafka({ fastCompaction: true });
  });
  afterAll(() => kafka?.stop());

  it('creates topics with their own limits', async () => {
    await kafka.createTopic('orders', { partitions: 3, config: { 'cleanup.policy': 'compact', 'max.message.bytes': 16_777_216 } });
    const metadata = await kafka.withAdmin((admin) => admin.fetchTopicMetadata({ topics: ['orders'] }));
    expect(metadata.topics[0]?.partitions).toHaveLength(3);
    await expect(produce(kafka, 'nobody-created-this', [{ key: 'k', value: 'v' }])).rejects.toThrow();
  });

  it('lets a group that was empty wait for further members, as brokers do by default', async () => {
    const resources = [{ type: 4, name: '1', configNames: ['group.initial.rebalance.delay.ms'] }];
    const { resources: answers } = await kafka.withAdmin((admin) => admin.describeConfigs({ resources, includeSynonyms: false }));
    expect(answers[0]?.configEntries[0]?.configValue).toBe('3000');
  });

  it('refuses a message above its own limit where a topic has none', async () => {
    await kafka.createTopic('small');
    const large = [{ key: 'k', value: 'x'.repeat(2_000_000) }];
    await expect(produce(kafka, 'small', large)).rejects.toMatchObject({ type: 'MESSAGE_TOO_LARGE' });
    await expect(produce(kafka, 'orders', large)).resolves.toBeUndefined();
  });

  it('comes back after kill -9 with its data, on its port', async () => {
    await kafka.createTopic('kept');
    await produce(kafka, 'kept', [{ key: 'k', value: 'v' }]);
    const { port, pid } = kafka;
    await kafka.kill9();
    expect(isAlive(pid)).toBe(false);
    await kafka.start();
    expect(kafka.port).toBe(port);
    expect(await endOffset(kafka, 'kept')).toBe('1');
    await produce(kafka, 'kept', [{ key: 'k', value: 'w' }]);
  });

  it('compacts within seconds when asked to', async () => {
    await kafka.createTopic('states', { config: { 'cleanup.policy': 'compact', 'segment.ms': 100 } });
    await waitFor(
      async () => {
        // Only closed segments are compacted, and a segment is closed by the next message.
        await produce(kafka, 'states', [{ key: 'same', value: 'newer' }]);
        return ((await readTopic(kafka.brokers, 'states'))[0]?.offset ?? 0n) > 0n;
      },
      { describe: 'the first message of states to be compacted away', timeoutMs: 60_000, intervalMs: 300 },
    );
  });

  it('leaves nothing behind', async () => {
    const { pid, logFile } = kafka;
    await kafka.stop();
    expect(isAlive(pid)).toBe(false);
    expect(existsSync(dirname(logFile))).toBe(false);
  });
});
