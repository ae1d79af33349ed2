// Reading partitions: where they begin and end, and what is in them. https://kafka.apache.org/protocol#The_Messages_Fetch
import type { BrokerRequest } from './broker-connections.js';
import { throwRefusal } from './error-codes.js';
import { byTopic } from './group-requests.js';
import { type AbortedTransaction, type ReadBatches, readBatches } from './record-batches.js';

const CONSUMER = -1;
const READ_COMMITTED = 1;

export const EARLIEST = -2;
export const LATEST = -1;

export interface PartitionTime {
  readonly topic: string;
  readonly partition: number;
}

export interface ListedOffset extends PartitionTime {
  readonly error: number;
  /** Negative when there is no such record. */
  readonly offset: number;
  /** The record's time, in milliseconds since the epoch, where a record was asked for. */
  readonly timestamp: number;
}

/**
 * @param timestamp - {@link EARLIEST}, {@link LATEST}, or milliseconds since the epoch for the first record that is as late
 * @param isolation - `committed`: the latest is where the first transaction that is open begins
 */
export const listOffsets = (
  partitions: readonly PartitionTime[],
  timestamp: number,
  isolation: 'committed' | 'uncommitted' = 'uncommitted',
): BrokerRequest<readonly ListedOffset[]> => ({
  name: 'ListOffsets',
  apiKey: 2,
  version: 2,
  write: (to) =>
    to
      .int32(CONSUMER)
      .int8(isolation === 'committed' ? READ_COMMITTED : 0)
      .array([...byTopic(partitions)], ([topic, each]) =>
        to.string(topic).array(each, ({ partition }) => to.int32(partition).int64(timestamp)),
      ),
  read(from) {
    from.int32();
    const listed = from.array(() => {
      const topic = from.string() ?? '';
      return from.array(() => {
        const partition = from.int32();
        const error = from.int16();
        const timestamp = from.int64();
        return { topic, partition, error, offset: from.int64(), timestamp };
      });
    });
    return listed.flat();
  },
});

export interface FetchPosition extends PartitionTime {
  readonly offset: number;
}

export interface FetchParameters {
  /** https://cwiki.apache.org/confluence/display/KAFKA/KIP-227 */
  readonly session: { readonly id: number; readonly epoch: number };
  readonly positions: readonly FetchPosition[];
  readonly forgotten: readonly PartitionTime[];
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly partitionBytes: number;
}

export interface FetchedPartition extends PartitionTime {
  readonly error: number;
  readonly highWatermark: number;
  /** The oldest offset that is there. */
  readonly logStart: number;
  /** Committed records from an offset on. */
  read(from: number): Promise<ReadBatches>;
  readonly bytes: number;
}

export interface FetchAnswer {
  readonly sessionId: number;
  readonly partitions: readonly FetchedPartition[];
}

/** Records that are committed. A session's answer leaves out the partitions of which there is nothing new. */
export const fetchRecords = (fetch: FetchParameters): BrokerRequest<FetchAnswer> => ({
  name: 'Fetch',
  apiKey: 1,
  version: 11,
  waitMs: fetch.maxWaitMs,
  write: (to) =>
    to
      .int32(CONSUMER)
      .int32(fetch.maxWaitMs)
      .int32(1)
      .int32(fetch.maxBytes)
      .int8(READ_COMMITTED)
      .int32(fetch.session.id)
      .int32(fetch.session.epoch)
      .array([...byTopic(fetch.positions)], ([topic, each]) =>
        to
          .string(topic)
          .array(each, ({ partition, offset }) => to.int32(partition).int32(-1).int64(offset).int64(-1).int32(fetch.partitionBytes)),
      )
      .array([...byTopic(fetch.forgotten)], ([topic, each]) => to.string(topic).array(each, ({ partition }) => to.int32(partition)))
      .string(''),
  read(from) {
    from.int32();
    throwRefusal(from.int16(), 'Fetch');
    const sessionId = from.int32();
    const partitions = from.array(() => {
      const topic = from.string() ?? '';
      return from.array((): FetchedPartition => {
        const partition = from.int32();
        const error = from.int16();
        const highWatermark = from.int64();
        from.int64(); // last stable offset
        const logStart = from.int64();
        const aborted = from.array((): AbortedTransaction => ({ producerId: from.int64(), firstOffset: from.int64() }));
        from.int32(); // preferred replica
        const records = from.blob() ?? Buffer.alloc(0);
        return {
          topic,
          partition,
          error,
          highWatermark,
          logStart,
          bytes: records.length,
          read: (offset) => readBatches(records, offset, aborted),
        };
      });
    });
    return { sessionId, partitions: partitions.flat() };
  },
});
