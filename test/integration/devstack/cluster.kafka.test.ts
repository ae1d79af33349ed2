import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { FaultProxy, type KafkaCluster, startKafkaCluster, waitFor } from '@tailwater/devstack';
import { Kafka as Client, logLevel, type Producer } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAlive } from './support/processes.js';

describe('three Kafka brokers', () => {
  let kafka: KafkaCluster<FaultProxy>;
  beforeAll(async () => {
    kafka = await startKafkaCluster({ proxy: FaultProxy.start });
    await kafka.createTopic('orders', { partitions: 3 });
  });
  afterAll(() => kafka?.stop());

  const producer = async (): Promise<Producer> => {
    const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 100 };
    const made = new Client({ brokers: kafka.brokers, logLevel: logLevel.NOTHING, requestTimeout: 2_000, retry }).producer();
    await made.connect();
    return made;
  };
  const send = (to: Producer, value: string, partition = 0) =>
    to.send({ topic: 'orders', acks: -1, messages: [{ key: 'k', value, partition }] });
  const end = (partition: number): Promise<number> =>
    kafka.withAdmin(async (admin) => {
      const offsets = await admin.fetchTopicOffsets('orders');
      return Number(offsets.find((entry) => entry.partition === partition)?.high);
    });

  it('keep every topic three times, with the settings that clients of a cluster meet', async () => {
    const states = await Promise.all([0, 1, 2].map((partition) => kafka.partition('orders', partition)));
    for (const { replicas } of states) expect([...replicas].sort()).toEqual([1, 2, 3]);
    const resources = [
      { type: 2, name: 'orders', configNames: ['min.insync.replicas'] },
      { type: 4, name: '1', configNames: ['group.initial.rebalance.delay.ms', 'transaction.state.log.replication.factor'] },
    ];
    const { resources: answers } = await kafka.withAdmin((admin) => admin.describeConfigs({ resources, includeSynonyms: false }));
    const values = answers.flatMap(({ configEntries }) => configEntries.map(({ configName, configValue }) => [configName, configValue]));
    expect(Object.fromEntries(values)).toEqual({
      'min.insync.replicas': '2',
      'group.initial.rebalance.delay.ms': '3000',
      'transaction.state.log.replication.factor': '3',
    });
  });

  it('hand a partition to another leader, and keep it three times', async () => {
    const before = await kafka.partition('orders', 0);
    const leader = await kafka.moveLeader('orders', 0);
    expect(leader).not.toBe(before.leader);
    const after = await kafka.partition('orders', 0);
    expect(after).toMatchObject({ leader });
    expect([...after.inSync].sort()).toEqual([1, 2, 3]);
  });

  it('are rolled while a producer goes on', async () => {
    const client = await producer();
    // One of three, which is what `roll` does to each.
    const rolled = kafka.rollOne(kafka.node((await kafka.partition('orders', 1)).leader)).then(() => true);
    let sent = 0;
    for (let over = false; !over; sent++) {
      await send(client, `${sent}`, 1);
      over = await Promise.race([rolled, Promise.resolve(false)]);
    }
    await client.disconnect();
    expect(await end(1)).toBeGreaterThanOrEqual(sent);
  });

  it('go on without one that was killed, which comes back in sync', async () => {
    const node = kafka.node((await kafka.partition('orders', 2)).leader);
    await node.kill9();
    const client = await producer();
    await send(client, 'without it', 2);
    await client.disconnect();
    expect((await kafka.partition('orders', 2)).leader).not.toBe(node.nodeId);
    await node.start();
    await kafka.untilInSync();
  });

  it('are reached by clients through a proxy each, which cuts, holds and slows', async () => {
    const { leader } = await kafka.partition('orders', 0);
    const proxy = kafka.proxies[kafka.nodes.indexOf(kafka.node(leader))] as FaultProxy;
    const client = await producer();
    await send(client, 'before');
    for (const fault of ['cut', 'freeze', 'reset'] as const) {
      const before = await end(0);
      proxy[fault]();
      const sending = send(client, fault);
      if (fault !== 'reset') {
        const early = await Promise.race([sending.then(() => 'sent'), waitFor(async () => (await end(0)) === before && 'nothing came')]);
        expect(early).toBe('nothing came');
      }
      proxy.heal();
      await sending;
      expect(await end(0)).toBeGreaterThan(before);
    }
    proxy.slow(50_000);
    const started = performance.now();
    await send(client, 'x'.repeat(100_000));
    expect(performance.now() - started).toBeGreaterThan(1_500);
    await client.disconnect();
  });

  it('leave nothing behind', async () => {
    const pids = kafka.nodes.map(({ pid }) => pid);
    await kafka.stop();
    expect(pids.map((pid) => isAlive(pid))).toEqual([false, false, false]);
    expect(existsSync(dirname(kafka.logFile))).toBe(false);
  });
});
