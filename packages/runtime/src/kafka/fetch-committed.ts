// One fetch of one partition, read-committed, through kafkajs's connections and with our own decoder.
// https://kafka.apache.org/protocol#The_Messages_Fetch
import { createRequire } from 'node:module';
import type { Cluster, KafkaMessage } from 'kafkajs';
import { type AbortedTransaction, committedRecords } from './committed-batches.js';

const FETCH = 1;
const READ_COMMITTED = 1;
/**
 * Of small records, tens of thousands of objects, which outlive the young generation: the more, the more the heap grows until they are
 * collected. And of a batch that is cut off at the end nothing can be used: the less, the more is fetched twice.
 */
const MAX_BYTES = 4 * 1024 * 1024;
/** The versions of the answer from which fields came. */
const SINCE = { session: 7, logStart: 5, preferredReplica: 11 };

export interface CommittedFetch {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  /** How long the broker holds it while there is nothing, in milliseconds. */
  readonly maxWaitMs: number;
}

/** What one fetch brought. */
export interface CommittedRecords {
  readonly records: readonly KafkaMessage[];
  /** The offset to go on from: everything before it has been handed out, or was not committed. */
  readonly next: bigint;
  /** The offset behind the partition's last record, committed or not. */
  readonly end: bigint;
}

interface FetchedPartition {
  readonly errorCode: number;
  readonly highWatermark: bigint;
  readonly aborted: readonly AbortedTransaction[];
  readonly bytes: Buffer;
}

/** What is used of kafkajs's broker; its types do not mention it. */
interface RequestingBroker {
  readonly connectionPool: { send(protocol: unknown): Promise<FetchedPartition> };
  lookupRequest(apiKey: number, definition: unknown): (parameters: object) => Protocol;
}

interface Protocol {
  readonly request: { readonly apiVersion: number };
  readonly requestTimeout?: number;
}

const require = createRequire(import.meta.url);
const { requests } = require('kafkajs/src/protocol/requests') as { requests: { Fetch: unknown } };
const { createErrorFromCode } = require('kafkajs/src/protocol/error') as { createErrorFromCode(code: number): Error };

/** @throws kafkajs's errors */
export async function fetchCommitted(cluster: Cluster, { topic, partition, from, maxWaitMs }: CommittedFetch): Promise<CommittedRecords> {
  const [leader] = Object.keys(cluster.findLeaderForPartitions(topic, [partition]));
  const broker = (await cluster.findBroker({ nodeId: leader as string })) as unknown as RequestingBroker;
  const protocol = broker.lookupRequest(
    FETCH,
    requests.Fetch,
  )({
    isolationLevel: READ_COMMITTED,
    maxWaitTime: maxWaitMs,
    minBytes: 1,
    maxBytes: MAX_BYTES,
    topics: [{ topic, partitions: [{ partition, fetchOffset: String(from), maxBytes: MAX_BYTES }] }],
    rackId: '',
  });
  const { apiVersion } = protocol.request;
  const response = { decode: async (payload: Buffer) => parseFetch(payload, apiVersion), parse: async (data: FetchedPartition) => data };
  const { errorCode, highWatermark, aborted, bytes } = await broker.connectionPool.send({ ...protocol, response });
  if (errorCode !== 0) throw createErrorFromCode(errorCode);
  return { ...(await committedRecords(bytes, from, aborted)), end: highWatermark };
}

/** The answer to a request for one partition, versions 4 to 11. */
function parseFetch(payload: Buffer, version: number): FetchedPartition {
  let at = 4;
  if (version >= SINCE.session) {
    const errorCode = payload.readInt16BE(at);
    if (errorCode !== 0) throw createErrorFromCode(errorCode);
    at += 2 + 4;
  }
  // One topic, its name, one partition, and its number.
  at += 4;
  at += 2 + payload.readInt16BE(at);
  at += 4 + 4;
  const errorCode = payload.readInt16BE(at);
  const highWatermark = payload.readBigInt64BE(at + 2);
  at += 2 + 8 + 8 + (version >= SINCE.logStart ? 8 : 0);
  const aborted: AbortedTransaction[] = [];
  const count = payload.readInt32BE(at);
  at += 4;
  for (let n = 0; n < count; n++, at += 16) {
    aborted.push({ producerId: payload.readBigInt64BE(at), firstOffset: payload.readBigInt64BE(at + 8) });
  }
  if (version >= SINCE.preferredReplica) at += 4;
  const size = Math.max(0, payload.readInt32BE(at));
  return { errorCode, highWatermark, aborted, bytes: payload.subarray(at + 4, at + 4 + size) };
}
