// Promise B, across clients: a key's partition is where Kafka's own Java client, and kafkajs, put it.
import { randomBytes } from 'node:crypto';
import { murmur2, partitionOf } from '@tailwater/schema';
import { Partitioners } from 'kafkajs';
import { describe, expect, it } from 'vitest';

describe('murmur2', () => {
  // org.apache.kafka.common.utils.UtilsTest.testMurmur2
  it.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
    ['abc', 479470107],
  ])('of %s is what the Java client’s test expects', (key, hash) => {
    expect(murmur2(Buffer.from(key))).toBe(hash);
  });

  it('reads a part of a buffer as if it were the whole', () => {
    const around = Buffer.from('..foobar..');
    expect(murmur2(around, 2, 8)).toBe(murmur2(Buffer.from('foobar')));
  });
});

describe('partitionOf', () => {
  const kafkajs = Partitioners.DefaultPartitioner();

  function partitionByKafkajs(key: Buffer, partitions: number): number {
    const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
      partitionId,
      partitionErrorCode: 0,
      leader: 1,
      replicas: [1],
      isr: [1],
    }));
    return kafkajs({ topic: 'any', partitionMetadata, message: { key, value: null } });
  }

  it('agrees with kafkajs on random keys of every length', () => {
    for (let length = 0; length < 300; length++) {
      for (const partitions of [1, 2, 7, 12, 64]) {
        const key = randomBytes(length);
        expect(partitionOf(key, partitions), `${key.toString('hex')} of ${partitions}`).toBe(partitionByKafkajs(key, partitions));
      }
    }
  });

  it('agrees with kafkajs on keys as they are', () => {
    for (let index = 0; index < 1_000; index++) {
      const key = Buffer.from(`{"$oid":"${randomBytes(12).toString('hex')}"}`);
      expect(partitionOf(key, 12)).toBe(partitionByKafkajs(key, 12));
    }
  });

  it('uses every partition', () => {
    const used = new Set(Array.from({ length: 1_000 }, (_, index) => partitionOf(Buffer.from(String(index)), 12)));
    expect(used.size).toBe(12);
  });
});
