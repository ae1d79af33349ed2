// The limit of the producer: records that are ready, sent through the same client in transactions of the same size.
import { encodeChangeEvent, findId, Position, partitionOf, recordKey } from '@tailwater/schema';
import { Kafka, logLevel } from 'kafkajs';
import { baselineArguments, reportBaseline } from '../measure/baseline.js';
import { rawOrder } from '../measure/documents.js';

const { brokers, topic, partitions, records, transactionRecords } = baselineArguments<{
  brokers: string[];
  topic: string;
  partitions: number;
  records: number;
  transactionRecords: number;
}>();
/** Transactions that are built beforehand and sent in turn. */
const DISTINCT = 8;

const kafka = new Kafka({ clientId: 'bench', brokers, logLevel: logLevel.NOTHING });
const producer = kafka.producer({
  transactionalId: `bench-${topic}`,
  maxInFlightRequests: 1,
  createPartitioner:
    () =>
    ({ message }) =>
      message.partition ?? 0,
  retry: { initialRetryTime: 5, multiplier: 1.6, maxRetryTime: 1000, retries: 25 },
});
const batches = Array.from({ length: DISTINCT }, (_, batch) =>
  Array.from({ length: transactionRecords }, (_, n) => {
    const document = rawOrder(batch * transactionRecords + n);
    const id = findId(document);
    const key = Buffer.from(id === undefined ? '' : recordKey(document, id.type, id.start));
    const value = encodeChangeEvent({
      op: 'insert',
      origin: 'tail',
      namespace: { database: 'bench', collection: 'orders' },
      position: new Position(1_700_000_000, n),
      wallTimeMs: 1_700_000_000_000,
      transaction: null,
      updateDescription: null,
      document,
    });
    return { key, value, partition: partitionOf(key, partitions) };
  }),
);
await producer.connect();
const startedAtMs = performance.now();
let sent = 0;
for (let turn = 0; sent < records; turn++) {
  const messages = batches[turn % DISTINCT] ?? [];
  const transaction = await producer.transaction();
  await transaction.sendBatch({ topicMessages: [{ topic, messages }], acks: -1 });
  await transaction.commit();
  sent += messages.length;
}
await reportBaseline(sent, startedAtMs);
await producer.disconnect();
