// Reading partitions: where they begin and end, and what is in them. https://kafka.apache.org/protocol#The_Messages_Fetch
import type { Broker, BrokerRequest } from './broker-connections.js';
import { throwRefusal } from './error-codes.js';
import { byTopic } from './group-requests.js';
import { type AbortedTransaction, type EpochEnd, type ReadBatches, readBatches } from './record-batches.js';
import type { WireReader, WireWriter } from './wire.js';

const API_KEY = 1;
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
  /** Of the leader that is asked, as far as it is known: another one refuses. */
  readonly leaderEpoch?: number | undefined;
  /** Of the leader that wrote the record before the offset: a leader that has none of it there says from where on its log is another one. */
  readonly lastEpoch?: number | undefined;
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
  /** The leader's log is not the one that was read: the last epoch that both may have, and where that ends in the leader's. */
  readonly diverging?: EpochEnd | undefined;
  /** Committed records from an offset on. */
  read(from: number): Promise<ReadBatches>;
  readonly bytes: number;
}

export interface FetchAnswer {
  readonly sessionId: number;
  readonly partitions: readonly FetchedPartition[];
}

/** The first in which a leader compares epochs (Kafka 2.7). */
const WITH_EPOCHS = 12;
const WITHOUT_EPOCHS = 11;
/** https://kafka.apache.org/protocol#The_Messages_Fetch, the tagged field DivergingEpoch. */
const DIVERGING = 0;
const UNKNOWN = -1;

/** Records that are committed. A session's answer leaves out partitions that have nothing new. */
export const fetchRecords = (fetch: FetchParameters, broker: Pick<Broker, 'takes'>): BrokerRequest<FetchAnswer> =>
  broker.takes(API_KEY, WITH_EPOCHS) ? withEpochs(fetch) : withoutEpochs(fetch);

const withEpochs = (fetch: FetchParameters): BrokerRequest<FetchAnswer> => ({
  name: 'Fetch',
  apiKey: API_KEY,
  version: WITH_EPOCHS,
  flexible: true,
  waitMs: fetch.maxWaitMs,
  write(to) {
    writeLimits(to, fetch);
    to.compactArray([...byTopic(fetch.positions)], ([topic, each]) =>
      to
        .compactString(topic)
        .compactArray(each, ({ partition, offset, leaderEpoch = UNKNOWN, lastEpoch = UNKNOWN }) =>
          to
            .int32(partition)
            .int32(leaderEpoch)
            .int64(offset)
            .int32(lastEpoch)
            .int64(UNKNOWN) // where the log of a replica begins
            .int32(fetch.partitionBytes)
            .noTags(),
        )
        .noTags(),
    )
      .compactArray([...byTopic(fetch.forgotten)], ([topic, each]) =>
        to
          .compactString(topic)
          .compactArray(each, ({ partition }) => to.int32(partition))
          .noTags(),
      )
      .compactString('')
      .noTags();
  },
  read(from) {
    from.int32();
    throwRefusal(from.int16(), 'Fetch');
    const sessionId = from.int32();
    const partitions = from.compactArray(() => {
      const topic = from.compactString() ?? '';
      const ofTopic = from.compactArray(() => readPartition(from, topic));
      from.skipTags();
      return ofTopic;
    });
    return { sessionId, partitions: partitions.flat() };
  },
});

function readPartition(from: WireReader, topic: string): FetchedPartition {
  const [partition, error, highWatermark] = [from.int32(), from.int16(), from.int64()];
  from.int64(); // last stable offset
  const logStart = from.int64();
  const aborted = from.compactArray((): AbortedTransaction => {
    const transaction = { producerId: from.int64(), firstOffset: from.int64() };
    from.skipTags();
    return transaction;
  });
  from.int32(); // preferred replica
  const records = from.compactBlob() ?? Buffer.alloc(0);
  let diverging: EpochEnd | undefined;
  from.tags({
    [DIVERGING]: () => {
      diverging = { epoch: from.int32(), end: from.int64() };
    },
  });
  const read = (offset: number) => readBatches(records, offset, aborted);
  return { topic, partition, error, highWatermark, logStart, diverging, bytes: records.length, read };
}

function writeLimits(to: WireWriter, { maxWaitMs, maxBytes, session }: FetchParameters): void {
  to.int32(CONSUMER).int32(maxWaitMs).int32(1).int32(maxBytes).int8(READ_COMMITTED).int32(session.id).int32(session.epoch);
}

const withoutEpochs = (fetch: FetchParameters): BrokerRequest<FetchAnswer> => ({
  name: 'Fetch',
  apiKey: API_KEY,
  version: WITHOUT_EPOCHS,
  waitMs: fetch.maxWaitMs,
  write(to) {
    writeLimits(to, fetch);
    to.array([...byTopic(fetch.positions)], ([topic, each]) =>
      to
        .string(topic)
        .array(each, ({ partition, offset }) => to.int32(partition).int32(-1).int64(offset).int64(-1).int32(fetch.partitionBytes)),
    )
      .array([...byTopic(fetch.forgotten)], ([topic, each]) => to.string(topic).array(each, ({ partition }) => to.int32(partition)))
      .string('');
  },
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
