// The broker's own rules about names: it takes a topic of every namespace, beside those of all the others.
import { type Kafka, startKafka } from '@tailwater/devstack';
import { MAX_TOPIC_NAME_LENGTH, type Namespace, topicName } from '@tailwater/schema';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let kafka: Kafka | undefined;

beforeAll(async () => {
  kafka = await startKafka();
});

afterAll(async () => {
  await kafka?.stop();
});

async function create(topics: readonly string[]): Promise<void> {
  // That the names are taken is the question, not how soon they have leaders, for which kafkajs gives up on a busy machine.
  await kafka?.withAdmin((admin) =>
    admin.createTopics({ waitForLeaders: false, topics: topics.map((topic) => ({ topic, numPartitions: 1 })) }),
  );
}

describe('a broker', () => {
  it('takes the topics of namespaces that differ only in dots and underscores', async () => {
    // One by one, as collections appear, and as they are in MongoDB the broker would refuse all but the first.
    const namespaces: Namespace[] = [
      { database: 'shop', collection: 'eu_orders' },
      { database: 'shop', collection: 'eu.orders' },
      { database: 'shop_eu', collection: 'orders' },
      { database: 'shop', collection: 'eu_x5f_orders' },
      { database: 'shop', collection: 'x5f_eu_orders' },
    ];
    for (const namespace of namespaces) await create([topicName('tw', namespace)]);
    await expect(create(['tw.shop.eu.orders'])).rejects.toMatchObject({ errors: [{ type: 'INVALID_TOPIC_EXCEPTION' }] });
  });

  it('takes any name', async () => {
    const names = ['注文', 'a b', '😀', '"$cmd/*?', '_', '-', 'système.été', 'dead-letters'];
    await create(names.map((collection) => topicName('tw', { database: '店', collection })));
  });

  it('takes the longest name that we do, and no longer one', async () => {
    const longest = topicName('tw', { database: 'd', collection: 'c'.repeat(MAX_TOPIC_NAME_LENGTH - 'tw.d.'.length) });
    await create([longest]);
    await expect(create([`${longest}c`])).rejects.toMatchObject({ errors: [{ type: 'INVALID_TOPIC_EXCEPTION' }] });
  });
});
