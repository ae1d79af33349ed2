// What is done in a turn of the writer: rows are completed, encoded and handed to the publisher in slices, each a transaction together with what is noted beside it.
import type { Origin } from '@tailwater/schema';
import type { ChangeBatch, TrackedNamespace } from '../changes/change-batch.js';
import { type CheckpointMessage, topicMessage } from '../checkpoint/checkpoint-record.js';
import type { EncodedBatch, RecordEncoder, TopicLayout, TopicRecords } from '../encode/record-encoder.js';
import type { DocumentLookup } from '../enrich/document-lookup.js';
import type { FileContents } from '../enrich/file-contents.js';
import { divideMemory, type MemoryShares } from '../memory/memory-shares.js';
import type { ProducerMetrics } from '../metrics/producer-metrics.js';
import type { UsedTopic } from '../publish/kafka-topics.js';
import type { Publisher } from '../publish/publisher.js';
import type { Quarantine } from '../quarantine/quarantine.js';
import { sliceEnd } from './slice.js';
import { WrittenPosition } from './written-position.js';

export interface TurnDependencies {
  readonly lookup: DocumentLookup;
  /** Where GridFS buckets are marked. */
  readonly contents?: FileContents | undefined;
  readonly encoder: RecordEncoder;
  readonly topics: {
    ensure(namespaces: readonly TrackedNamespace[]): Promise<void>;
    takeUnrecorded(): UsedTopic[];
    /** Undefined for a namespace that has none, and whose changes are put aside. */
    layoutOf(namespace: TrackedNamespace): TopicLayout | undefined;
  };
  /** Where no topic takes a change. */
  readonly quarantine: Pick<Quarantine, 'letters'>;
  readonly publisher: Publisher;
  readonly metrics: ProducerMetrics;
  /** By default those of the default budget. */
  readonly shares?: MemoryShares;
  /** The source's name and the topic of its checkpoints. */
  readonly source: string;
  readonly checkpointTopic: string;
}

/** What goes out with a slice, by the row behind it. */
export type BesideSlice = (next: number) => TopicRecords[] | Promise<TopicRecords[]>;

export class Turn {
  readonly written: WrittenPosition;
  readonly #deps: TurnDependencies;
  readonly #shares: MemoryShares;
  #published = 0;

  constructor(deps: TurnDependencies) {
    this.#deps = deps;
    this.#shares = deps.shares ?? divideMemory();
    this.written = new WrittenPosition(deps.source);
  }

  /** Records that were handed to the publisher so far, those of the checkpoint not counted. */
  get published(): number {
    return this.#published;
  }

  /** Publishes the rows, all of one origin, in as many transactions as they need. */
  async publish(rows: ChangeBatch, origin: Origin, besideSlice: BesideSlice): Promise<void> {
    const { lookup, contents, encoder, topics, quarantine, publisher } = this.#deps;
    for (let from = 0; from < rows.length; ) {
      const expected = sliceEnd(rows, from, this.#shares.slice, (namespace) => lookup.documentsPerSlice(namespace), contents?.bytesOf);
      const to = await lookup.fill(rows, from, expected);
      await contents?.fill(rows, from, to);
      await topics.ensure(namespacesOf(rows, from, to));
      const encoded = encoder.encode(rows, from, to, origin, (namespace) => topics.layoutOf(namespace));
      const letters = encoded.refused.length === 0 ? [] : [await quarantine.letters(rows, encoded.refused, origin)];
      rows.releaseDocuments(from, to);
      await this.submit([...letters, ...(await besideSlice(to))], origin, encoded);
      // A large one is alone in memory: the next is not made while it is on its way.
      if (encoded.bytes > this.#shares.kept) await publisher.idle();
      from = to;
    }
  }

  /** Hands records to the publisher, as one transaction with what was encoded. */
  async submit(backfill: readonly TopicRecords[], origin?: Origin, encoded?: EncodedBatch): Promise<void> {
    const { publisher, metrics, source } = this.#deps;
    const startedAtMs = performance.now();
    const topics = encoded?.topics ?? [];
    const used = this.#deps.topics.takeUnrecorded();
    const records = used.map(({ namespace, topic }) => topicMessage(source, namespace.name, topic));
    for (const { topic, messages } of used.length === 0 ? backfill : [...backfill, this.checkpoint(...records)]) {
      const known = topics.find((each) => each.topic === topic);
      if (known === undefined) topics.push({ topic, messages });
      else known.messages.push(...messages);
    }
    // Rows with nothing left are submitted too: they are counted, and the encoder's buffers stay in turn.
    if (topics.length === 0 && encoded === undefined) return;
    for (const { topic, messages } of topics) if (topic !== this.#deps.checkpointTopic) this.#published += messages.length;
    const transactions = topics.length === 0 ? 0 : 1;
    await publisher.submit({
      topics,
      onCommitted: () => metrics.committed(transactions, origin, encoded, performance.now() - startedAtMs),
    });
  }

  /** A record of the checkpoint alone, of which no metric counts anything. */
  submitBeside(record: CheckpointMessage, onCommitted: () => void): Promise<void> {
    return this.#deps.publisher.submit({ topics: [this.checkpoint(record)], onCommitted });
  }

  /** Resolves when everything that was handed to the publisher is committed. */
  flush(): Promise<void> {
    return this.#deps.publisher.flush();
  }

  /** @throws why an earlier transaction failed */
  throwIfFailed(): void {
    this.#deps.publisher.throwIfFailed();
  }

  checkpoint(...messages: CheckpointMessage[]): TopicRecords {
    return { topic: this.#deps.checkpointTopic, messages };
  }
}

/** Each namespace of the rows `[from, to)`, mostly once. */
function namespacesOf({ namespace }: ChangeBatch, from: number, to: number): TrackedNamespace[] {
  const namespaces: TrackedNamespace[] = [];
  for (let row = from; row < to; row++) if (namespace[row] !== namespaces.at(-1)) namespaces.push(namespace[row] as TrackedNamespace);
  return namespaces;
}
