// Cuts the records of a transaction into requests that a broker takes: what one request brings to a partition becomes one
// record batch, and the topic's max.message.bytes bounds the batch, not the record.
import type { OutgoingRecord, TopicRecords } from '../encode/record-encoder.js';

/** Bytes of one record batch, and of one request: a broker's socket.request.max.bytes is 100 MB unless it was changed. */
export interface RequestLimits {
  readonly batchBytes: number;
  readonly requestBytes: number;
}

/** What a broker that compresses may add to what does not get smaller. */
const BATCH_OVERHEAD_BYTES = 1024;
/** A record's framing and headers, at most. */
const RECORD_OVERHEAD_BYTES = 256;

/** The records in rounds, to be sent one after the other, in their order. One that is larger than a batch may be is left to the broker to refuse. */
export function splitIntoRequests(topics: readonly TopicRecords[], limits: RequestLimits): (readonly TopicRecords[])[] {
  let total = 0;
  for (const { messages } of topics) for (const message of messages) total += sizeOf(message);
  if (total <= Math.min(limits.requestBytes, ...topics.map((each) => batchLimit(each, limits)))) return [topics];
  const rounds: TopicRecords[][] = [];
  let requestBytes = Number.POSITIVE_INFINITY;
  const batchBytes = new Map<string, number>();
  for (const each of topics) {
    const { topic, messages } = each;
    const limit = batchLimit(each, limits);
    for (const message of messages) {
      const size = sizeOf(message);
      const batch = `${topic} ${message.partition}`;
      let bytes = batchBytes.get(batch) ?? 0;
      if (requestBytes + size > limits.requestBytes || (bytes > 0 && bytes + size > limit)) {
        rounds.push([]);
        batchBytes.clear();
        [requestBytes, bytes] = [0, 0];
      }
      const round = rounds.at(-1) as TopicRecords[];
      if (round.at(-1)?.topic !== topic) round.push({ topic, messages: [] });
      round.at(-1)?.messages.push(message);
      requestBytes += size;
      batchBytes.set(batch, bytes + size);
    }
  }
  return rounds;
}

const batchLimit = ({ maxBytes }: TopicRecords, { batchBytes }: RequestLimits): number =>
  maxBytes === undefined ? batchBytes : Math.min(batchBytes, maxBytes - BATCH_OVERHEAD_BYTES);

function sizeOf({ key, value }: OutgoingRecord): number {
  return RECORD_OVERHEAD_BYTES + key.length + (value?.length ?? 0);
}
