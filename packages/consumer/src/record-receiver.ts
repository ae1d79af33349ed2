// One record on its way from Kafka into the lanes: decoded, transformed, and given room; or counted, waited at, or put aside (promise E).
import { type Namespace, namespaceOfTopic, type SchemaIds } from '@tailwater/schema';
import type { Outcome } from './apply/delivery.js';
import type { FetchBackpressure, Held } from './apply/fetch-backpressure.js';
import { type Change, memoryOf } from './changes/change.js';
import type { PartitionProgress } from './commit/progress.js';
import type { DecodeFailureHandler } from './decode/decode-failure-handler.js';
import { decodeRecord, UndecodableRecordError } from './decode/decode-record.js';
import type { Tally } from './metrics/tally.js';
import type { FetchedBatch, FetchedRecord } from './subscribe/subscription.js';
import type { Transform } from './transform/transform.js';

export interface RecordReceiverParts {
  readonly prefix: string;
  readonly schemas: SchemaIds;
  readonly transform: Transform;
  readonly decodeFailures: DecodeFailureHandler;
  readonly backpressure: FetchBackpressure;
  readonly tally: Tally;
  /** Resolves when a record that nothing can decode is where it belongs. */
  readonly putAside: (record: FetchedRecord, progress: PartitionProgress, cause: Error, signal: AbortSignal) => Promise<Outcome>;
  readonly push: (change: Change, record: FetchedRecord, bytes: number, progress: PartitionProgress) => void;
}

/** How a record waits for room. */
type Waiting = Omit<Held, 'isRevoked'>;

export class RecordReceiver {
  readonly #parts: RecordReceiverParts;
  readonly #namespaces = new Map<string, Namespace>();

  constructor(parts: RecordReceiverParts) {
    this.#parts = parts;
  }

  /** A promise only for what cannot be decoded, or not at once, or has no room yet: whether that was settled. */
  take(
    record: FetchedRecord,
    batch: FetchedBatch,
    progress: PartitionProgress,
    waiting: Waiting,
    isFirst = true,
  ): Promise<boolean> | undefined {
    let decoded: ReturnType<typeof decodeRecord>;
    try {
      const source = { topic: batch.topic, partition: batch.partition, namespace: this.#namespaceOf(batch.topic) };
      decoded = decodeRecord(record, source, this.#parts.schemas);
    } catch (error) {
      if (!(error instanceof UndecodableRecordError)) throw error;
      return this.#undecoded(error, record, batch, progress, waiting, isFirst);
    }
    if (decoded === undefined) {
      this.#parts.tally.control += 1;
      progress.watermark.skip(Number(record.offset));
      return;
    }
    const change = this.#parts.transform(decoded);
    if (change === undefined) {
      this.#count(decoded);
      this.#parts.tally.filtered += 1;
      progress.watermark.skip(decoded.offset);
      return;
    }
    if (!this.#parts.backpressure.takes(batch.topic, change.namespace)) return this.#pushLater(decoded, change, record, progress, waiting);
    this.#push(decoded, change, record, progress);
    return;
  }

  /** Only what is pushed counts as read: what is not comes again. */
  async #pushLater(
    decoded: Change,
    change: Change,
    record: FetchedRecord,
    progress: PartitionProgress,
    waiting: Waiting,
  ): Promise<boolean> {
    const isRevoked = () => progress.revoked;
    if (!(await this.#parts.backpressure.hold(progress.topic, change.namespace, { ...waiting, isRevoked }))) return false;
    this.#push(decoded, change, record, progress);
    return true;
  }

  #count({ document, file }: Change): void {
    this.#parts.tally.read += 1;
    this.#parts.tally.bytes += document.length + (file?.content?.length ?? 0);
  }

  #push(decoded: Change, change: Change, record: FetchedRecord, progress: PartitionProgress): void {
    this.#count(decoded);
    const bytes = memoryOf(change) + (change.parts?.reduce((sum, part) => sum + memoryOf(part), 0) ?? 0);
    this.#parts.push(change, record, bytes, progress);
  }

  async #undecoded(
    error: UndecodableRecordError,
    record: FetchedRecord,
    batch: FetchedBatch,
    progress: PartitionProgress,
    waiting: Waiting,
    isFirst: boolean,
  ): Promise<boolean> {
    const { signal } = waiting;
    const verdict = await this.#parts.decodeFailures.of(error, record, progress, { signal, isRevoked: () => progress.revoked }, isFirst);
    if (verdict === 'waits' || signal.aborted || progress.revoked) return false;
    if (verdict === 'aside') return this.#putAside(record, progress, error, signal);
    return (await this.take(record, batch, progress, waiting, false)) ?? true;
  }

  /** One at a time, and nothing is read meanwhile: whatever fills a topic with nonsense fills no memory. */
  async #putAside(record: FetchedRecord, progress: PartitionProgress, cause: Error, signal: AbortSignal): Promise<boolean> {
    this.#parts.tally.read += 1;
    const sequence = progress.watermark.begin(Number(record.offset));
    const outcome = await this.#parts.putAside(record, progress, cause, signal);
    this.#parts.tally.end(outcome, progress.topic);
    if (outcome === 'returned') return false;
    progress.watermark.end(sequence);
    return true;
  }

  #namespaceOf(topic: string): Namespace {
    const known = this.#namespaces.get(topic);
    if (known !== undefined) return known;
    const namespace = namespaceOfTopic(this.#parts.prefix, topic);
    if (namespace === undefined) throw new Error(`${topic} is not a topic of the prefix ${this.#parts.prefix}`);
    this.#namespaces.set(topic, namespace);
    return namespace;
  }
}
