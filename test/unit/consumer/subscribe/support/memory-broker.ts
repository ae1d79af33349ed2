// A broker in memory that answers fetches as Kafka does: whole batches, within what the request allows for a partition and for all, the first one whatever its size.
import { type Broker, type BrokerConnections, type BrokerRequest, type FetchedPartition, WireReader, WireWriter } from '@tailwater/runtime';
import type { FetchedRecord } from '#consumer/subscribe/subscription.js';

export interface StoredBatch {
  readonly first: number;
  readonly records: readonly FetchedRecord[];
  readonly bytes: number;
}

interface Asked {
  readonly maxBytes: number;
  readonly positions: { readonly topic: string; readonly partition: number; readonly offset: number; readonly partitionBytes: number }[];
}

export class MemoryBroker {
  readonly #partitions = new Map<string, StoredBatch[]>();
  /** Bytes handed out, in all. */
  fetchedBytes = 0;
  fetches = 0;

  append(topic: string, partition: number, batch: StoredBatch): void {
    const name = `${topic}/${partition}`;
    this.#partitions.set(name, [...(this.#partitions.get(name) ?? []), batch]);
  }

  get storedBytes(): number {
    return [...this.#partitions.values()].flat().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get connections(): BrokerConnections {
    const send = async (request: BrokerRequest<unknown>) => this.#fetch(asked(request));
    const broker = { send, takes: () => false } as unknown as Broker;
    return { node: async () => broker, any: async () => broker } as unknown as BrokerConnections;
  }

  /** Without a session: each request names all it wants. */
  async #fetch({ maxBytes, positions }: Asked): Promise<{ sessionId: number; partitions: FetchedPartition[] }> {
    this.fetches += 1;
    let left = maxBytes;
    const partitions: FetchedPartition[] = [];
    for (const { topic, partition, offset, partitionBytes } of positions) {
      const all = this.#partitions.get(`${topic}/${partition}`) ?? [];
      const taken: StoredBatch[] = [];
      let bytesLeft = Math.min(left, partitionBytes);
      for (const batch of all.filter(({ first, records }) => first + records.length > offset)) {
        if (batch.bytes > bytesLeft && (taken.length > 0 || partitions.length > 0)) break;
        taken.push(batch);
        bytesLeft -= batch.bytes;
      }
      if (taken.length === 0) continue;
      const bytes = taken.reduce((sum, batch) => sum + batch.bytes, 0);
      left = Math.max(0, left - bytes);
      this.fetchedBytes += bytes;
      const end = all.reduce((sum, { records }) => sum + records.length, 0);
      const read = async (from: number) => {
        const records = taken.flatMap((batch) => batch.records).filter((record) => Number(record.offset) >= from);
        return { records, next: Number(records.at(-1)?.offset ?? from - 1) + 1, epochs: [] } as never;
      };
      partitions.push({ topic, partition, error: 0, highWatermark: end, logStart: 0, bytes, read });
    }
    await new Promise((resolve) => setTimeout(resolve, partitions.length === 0 ? 20 : 1));
    return { sessionId: 0, partitions };
  }
}

/** What a fetch asks for, out of its bytes: https://kafka.apache.org/protocol#The_Messages_Fetch, version 11. */
function asked(request: BrokerRequest<unknown>): Asked {
  const to = new WireWriter();
  request.write(to);
  const from = new WireReader(to.bytes);
  from.int32();
  from.int32();
  from.int32();
  const maxBytes = from.int32();
  from.int8();
  from.int32();
  from.int32();
  const positions = from.array(() => {
    const topic = from.string() ?? '';
    return from.array(() => {
      const partition = from.int32();
      from.int32();
      const offset = from.int64();
      from.int64();
      return { topic, partition, offset, partitionBytes: from.int32() };
    });
  });
  return { maxBytes, positions: positions.flat() };
}
