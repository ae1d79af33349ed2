// The log of one partition, as all brokers will have it: batches, transactions, and how much of it a broker shows. What is acknowledged is never lost here.
import { ERROR } from '@tailwater/runtime';

export interface LoggedRecord {
  readonly key: string;
  readonly offset: number;
}

interface LoggedBatch {
  readonly base: number;
  readonly last: number;
  readonly bytes: Buffer;
}

interface Transaction {
  readonly producerId: number;
  readonly first: number;
  /** Where its marker stands; undefined while it is open. */
  marker: number | undefined;
  isAborted: boolean;
  readonly records: LoggedRecord[];
}

const AT = { base: 0, leaderEpoch: 12, attributes: 21, lastOffsetDelta: 23, producerId: 43, count: 57, records: 61 };
const CONTROL = 0x20;
const TRANSACTIONAL = 0x10;
const MARKER_BYTES = 78;

export class PartitionLog {
  readonly batches: LoggedBatch[] = [];
  /** Those that are committed, in the order of their offsets as far as their transactions ended. */
  readonly committed: LoggedRecord[] = [];
  /** Where the log goes on. */
  end = 0;
  /** What enough brokers have. */
  highWatermark = 0;
  readonly #transactions: Transaction[] = [];
  /** Brokers that know a lower high watermark. */
  readonly #limits = new Map<number, number>();

  append(batch: Buffer, leaderEpoch: number, keys: readonly string[]): number {
    const bytes = Buffer.from(batch);
    const base = this.end;
    const last = base + bytes.readInt32BE(AT.lastOffsetDelta);
    bytes.writeBigInt64BE(BigInt(base), AT.base);
    bytes.writeInt32BE(leaderEpoch, AT.leaderEpoch);
    const records = keys.map((key, index) => ({ key, offset: base + index }));
    if ((bytes.readInt16BE(AT.attributes) & TRANSACTIONAL) === 0) this.committed.push(...records);
    else {
      const producerId = Number(bytes.readBigInt64BE(AT.producerId));
      const open = this.#open(producerId);
      if (open === undefined) this.#transactions.push({ producerId, first: base, marker: undefined, isAborted: false, records });
      else open.records.push(...records);
    }
    this.batches.push({ base, last, bytes });
    this.end = last + 1;
    return base;
  }

  /** Ends what the producer has open. */
  mark(producerId: number, result: 'commit' | 'abort', leaderEpoch: number): void {
    const open = this.#open(producerId);
    const bytes = markerBatch(producerId, result, this.end, leaderEpoch);
    this.batches.push({ base: this.end, last: this.end, bytes });
    if (open !== undefined) {
      open.marker = this.end;
      open.isAborted = result === 'abort';
      if (result === 'commit') this.committed.push(...open.records);
    }
    this.end += 1;
  }

  hasOpen(producerId: number): boolean {
    return this.#open(producerId) !== undefined;
  }

  /** The broker knows of no more than this, until {@link catchUp}. */
  limit(node: number, end: number): void {
    this.#limits.set(node, end);
  }

  catchUp(node: number): void {
    this.#limits.delete(node);
  }

  /** As far as this broker shows the log. */
  shown(node: number): { readonly highWatermark: number; readonly stable: number } {
    const highWatermark = Math.min(this.highWatermark, this.#limits.get(node) ?? Number.POSITIVE_INFINITY);
    let stable = highWatermark;
    for (const { first, marker } of this.#transactions)
      if (marker === undefined || marker >= highWatermark) stable = Math.min(stable, first);
    return { highWatermark, stable };
  }

  read(node: number, from: number, maxBytes: number) {
    const { highWatermark, stable } = this.shown(node);
    if (from > this.end || from < 0)
      return { error: ERROR.OFFSET_OUT_OF_RANGE, highWatermark, stable, records: Buffer.alloc(0), aborted: [] };
    const found: Buffer[] = [];
    let [size, last] = [0, from];
    for (const batch of this.batches) {
      if (batch.last < from || batch.base >= stable) continue;
      if (size > 0 && size + batch.bytes.length > maxBytes) break;
      found.push(batch.bytes);
      size += batch.bytes.length;
      last = batch.last;
    }
    const aborted = this.#transactions.filter(
      ({ isAborted, first, marker }) => isAborted && first <= last && (marker as number) >= from && found.length > 0,
    );
    return { error: ERROR.NONE, highWatermark, stable, records: Buffer.concat(found), aborted };
  }

  #open(producerId: number): Transaction | undefined {
    return this.#transactions.find((each) => each.producerId === producerId && each.marker === undefined);
  }
}

/** https://kafka.apache.org/documentation/#controlbatch */
function markerBatch(producerId: number, result: 'commit' | 'abort', base: number, leaderEpoch: number): Buffer {
  const bytes = Buffer.alloc(MARKER_BYTES);
  bytes.writeBigInt64BE(BigInt(base), AT.base);
  bytes.writeInt32BE(MARKER_BYTES - 12, 8);
  bytes.writeInt32BE(leaderEpoch, AT.leaderEpoch);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(CONTROL | TRANSACTIONAL, AT.attributes);
  bytes.writeBigInt64BE(BigInt(producerId), AT.producerId);
  bytes.writeInt32BE(1, AT.count);
  // length, attributes, difference of time and of offset, length of the key, version and type, length of the value, version and epoch, no headers: zigzag
  const key = [0, 0, 0, result === 'commit' ? 1 : 0];
  const record = [0, 0, 0, 8, ...key, 12, 0, 0, 0, 0, 0, 0, 0];
  Buffer.from([record.length * 2, ...record]).copy(bytes, AT.records);
  return bytes;
}
