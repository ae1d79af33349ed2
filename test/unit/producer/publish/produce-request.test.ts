// Our Produce request against kafkajs's own encoder: the same bytes for the same records.
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutgoingRecord } from '#producer/encode/record-encoder.js';
import { crc32c } from '#producer/publish/crc32c.js';
import { type ProducedTopic, ProduceRequestWriter } from '#producer/publish/produce-request.js';

const require = createRequire(import.meta.url);
const kafkajsRequest = require('kafkajs/src/protocol/requests/produce/v3/request.js') as (parameters: object) => {
  encode(): Promise<{ buffer: Buffer }>;
};

const NOW_MS = 1_764_000_000_123;

/** As kafkajs would encode it; its clock is the record's. */
async function expected(transactionalId: string | null, topicData: readonly ProducedTopic[]): Promise<Buffer> {
  const dated = topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map((each) => ({ ...each, messages: each.messages.map((message) => ({ ...message, timestamp: NOW_MS })) })),
  }));
  const parameters = { transactionalId, acks: -1, timeout: 30_000, producerId: '4611686018427387904', producerEpoch: 7, topicData: dated };
  return (await kafkajsRequest(parameters).encode()).buffer;
}

function actual(transactionalId: string | null, topics: readonly ProducedTopic[], writer = new ProduceRequestWriter()): Buffer {
  const request = { transactionalId, acks: -1, timeout: 30_000, producerId: 4_611_686_018_427_387_904n, producerEpoch: 7, topics };
  return writer.write(request, NOW_MS);
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));
const record: fc.Arbitrary<OutgoingRecord> = fc
  .record({
    key: bytes(100),
    value: fc.option(bytes(300), { nil: null }),
    partition: fc.constant(0),
    headers: fc.option(fc.dictionary(fc.string({ minLength: 1, maxLength: 10 }), fc.string({ maxLength: 80 }), { maxKeys: 4 }), {
      nil: undefined,
    }),
  })
  .map(({ headers, ...rest }) => (headers === undefined ? rest : { ...rest, headers }));
const topics: fc.Arbitrary<ProducedTopic[]> = fc.array(
  fc.record({
    topic: fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }),
    partitions: fc.array(
      fc.record({
        partition: fc.nat(1000),
        firstSequence: fc.nat(0x7fffffff),
        messages: fc.array(record, { minLength: 1, maxLength: 80 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  }),
  { maxLength: 3 },
);

describe('ProduceRequestWriter', () => {
  it('writes what kafkajs writes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.option(fc.string({ minLength: 1, maxLength: 20 }), { nil: null }), topics, async (transactionalId, given) => {
        expect(actual(transactionalId, given).equals(await expected(transactionalId, given))).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('writes records whose lengths need every size of varint', async () => {
    const sizes = [0, 1, 63, 64, 65, 8191, 8192, 8193, 1_048_575, 1_048_576, 2_000_000];
    const messages = sizes.map((size) => ({ key: Buffer.from(String(size)), value: Buffer.alloc(size, size & 0xff), partition: 3 }));
    const given = [{ topic: 'tw.shop.orders', partitions: [{ partition: 3, firstSequence: 5, messages }] }];
    expect(actual('tx', given).equals(await expected('tx', given))).toBe(true);
  });

  it('writes each request over the last, and keeps no buffer that a large one needed', async () => {
    const writer = new ProduceRequestWriter();
    const of = (size: number): ProducedTopic[] => [
      {
        topic: 't',
        partitions: [{ partition: 0, firstSequence: 0, messages: [{ key: Buffer.from('k'), value: Buffer.alloc(size), partition: 0 }] }],
      },
    ];
    const first = actual('tx', of(1000), writer);
    const large = actual('tx', of(9 * 1024 * 1024), writer);
    const last = actual('tx', of(500), writer);
    expect(last.buffer).toBe(first.buffer);
    expect(large.buffer).not.toBe(first.buffer);
    expect(large.equals(await expected('tx', of(9 * 1024 * 1024)))).toBe(true);
    expect(last.equals(await expected('tx', of(500)))).toBe(true);
  });
});

describe('crc32c', () => {
  // RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRC algorithms.
  it.each([
    ['32 bytes of zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 bytes of ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['32 rising bytes', Buffer.from(Array.from({ length: 32 }, (_, n) => n)), 0x46dd794e],
    ['32 falling bytes', Buffer.from(Array.from({ length: 32 }, (_, n) => 31 - n)), 0x113fdb5c],
    ['the digits', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ])('is right for %s', (_, data, checksum) => {
    expect(crc32c(data, 0, data.length)).toBe(checksum);
    expect(crc32c(Buffer.concat([Buffer.from('xyz'), data, Buffer.from('z')]), 3, 3 + data.length)).toBe(checksum);
  });
});
