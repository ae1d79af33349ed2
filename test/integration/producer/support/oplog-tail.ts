// The producer's tail over a real oplog, from the cursor to the encoded record; the test stands where Kafka would.
import { waitFor } from '@tailwater/devstack';
import { compileNamespaceRules, createMetrics } from '@tailwater/runtime';
import { decodeChangeEvent, Position, parseTombstone, type UpdateDescription } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';
import type { CollectionCommand } from '#producer/changes/change-batch.js';
import { NamespaceTable } from '#producer/changes/namespace-table.js';
import { CheckpointReader } from '#producer/checkpoint/checkpoint-record.js';
import { type OutgoingRecord, RecordEncoder, type TopicRecords } from '#producer/encode/record-encoder.js';
import { DocumentLookup } from '#producer/enrich/document-lookup.js';
import { type ProducerCounts, ProducerMetrics } from '#producer/metrics/producer-metrics.js';
import { Publisher } from '#producer/publish/publisher.js';
import { SourceHealth } from '#producer/source/mongo/source-health.js';
import { NormalizeCounters } from '#producer/source/normalize-counters.js';
import { Normalizer } from '#producer/source/oplog/normalizer.js';
import { OplogSource } from '#producer/source/oplog/oplog-source.js';
import { newestMajorityPosition } from '#producer/source/oplog/oplog-window.js';
import { TransactionEntries } from '#producer/source/oplog/transaction-entries.js';
import { TailWriter } from '#producer/tail/tail-writer.js';
import { OrderedWriter } from '#producer/writer/ordered-writer.js';
import { TailProgress } from '#producer/writer/tail-progress.js';
import { TouchedKeys } from '#producer/writer/touched-keys.js';
import { keptLog, type LoggedLine } from './kept-log.js';

const CHECKPOINTS = 'checkpoints';

export interface PublishedEvent {
  readonly namespace: string;
  readonly op: string;
  readonly key: string;
  readonly position: Position;
  readonly transaction: { readonly id: string; readonly index: number } | null;
  readonly updateDescription: UpdateDescription | null;
  /** Undefined for a tombstone. */
  readonly document: Buffer | undefined;
}

export interface OplogTailOptions {
  readonly include: readonly string[];
  readonly after: Position;
  /** Called with the records of each Kafka transaction; what it throws fails the transaction. */
  readonly onSend?: (events: PublishedEvent[]) => void;
}

export class OplogTail {
  readonly events: PublishedEvent[] = [];
  readonly commands: CollectionCommand[] = [];
  readonly log: LoggedLine[];
  readonly #client: MongoClient;
  readonly #stop = new AbortController();
  readonly #checkpoint = new CheckpointReader('rs0');
  readonly #progress: TailProgress;
  readonly #metrics: ProducerMetrics;
  readonly #running: Promise<void>;
  #failure: unknown;

  constructor(client: MongoClient, options: OplogTailOptions) {
    const { logger, lines } = keptLog();
    const counters = new NormalizeCounters();
    this.log = lines;
    this.#client = client;
    this.#metrics = new ProducerMetrics(createMetrics(), counters);
    this.#progress = new TailProgress(options.after);
    const topics = {
      ensure: async () => {},
      takeUnrecorded: () => [],
      existing: async () => undefined,
      layoutOf: ({ name }: { readonly name: string }) => ({ topic: name, partitions: 1 }),
    };
    const writer = new OrderedWriter({
      lookup: new DocumentLookup(client),
      encoder: new RecordEncoder(),
      quarantine: { letters: () => Promise.reject(new Error('Nothing is refused here')) },
      topics,
      publisher: new Publisher({ send: async (records) => this.#send(records, options.onSend) }),
      progress: this.#progress,
      metrics: this.#metrics,
      source: 'rs0',
      checkpointTopic: CHECKPOINTS,
    });
    const namespaces = new NamespaceTable(compileNamespaceRules({ include: options.include }));
    const tail = new TailWriter({
      writer,
      normalizer: new Normalizer(new TransactionEntries(client), namespaces, counters, logger),
      touched: new TouchedKeys(),
      progress: this.#progress,
      topics,
      metrics: this.#metrics,
      source: 'rs0',
      onCommand: (command) => {
        this.commands.push(command);
        return [];
      },
    });
    const oplog = new OplogSource(client, { uri: 'mongodb://members/', access: {} }, new SourceHealth(logger), logger);
    this.#running = this.#run(oplog, options.after, writer, tail).catch((error: unknown) => {
      this.#failure = error;
    });
  }

  static async start(client: MongoClient, options: Omit<OplogTailOptions, 'after'>): Promise<OplogTail> {
    return new OplogTail(client, { ...options, after: await newestMajorityPosition(client) });
  }

  get counts(): ProducerCounts {
    return this.#metrics.counts();
  }

  /** What a new session would go on from. */
  get checkpoint(): Position | undefined {
    return this.#checkpoint.result().position;
  }

  /** Waits until everything that is in the oplog now was read, ends, and returns why it had ended before by itself. */
  async finish(): Promise<unknown> {
    const newest = await newestMajorityPosition(this.#client);
    await waitFor(() => this.#failure !== undefined || this.#progress.end.compare(newest) >= 0, {
      describe: () => `the tail at ${this.#progress.end} to come to ${newest}`,
      timeoutMs: 120_000,
    });
    this.#stop.abort();
    await this.#running;
    return this.#failure;
  }

  /** The documents that the events leave behind, by namespace and key. */
  fold(): Map<string, Map<string, Buffer>> {
    const namespaces = new Map<string, Map<string, Buffer>>();
    for (const { namespace, key, document } of this.events) {
      const documents = namespaces.get(namespace) ?? new Map<string, Buffer>();
      namespaces.set(namespace, documents);
      if (document === undefined) documents.delete(key);
      else documents.set(key, document);
    }
    return namespaces;
  }

  async #run(oplog: OplogSource, after: Position, writer: OrderedWriter, tail: TailWriter): Promise<void> {
    for await (const batch of oplog.read(after, this.#stop.signal)) await tail.write(batch);
    await writer.finish();
  }

  #send(topics: readonly TopicRecords[], onSend: OplogTailOptions['onSend']): void {
    const events: PublishedEvent[] = [];
    for (const { topic, messages } of topics)
      if (topic !== CHECKPOINTS) for (const message of messages) events.push(eventOf(topic, message));
    onSend?.(events);
    if (onSend === undefined) this.events.push(...events.map(kept));
    for (const { topic, messages } of topics) {
      if (topic === CHECKPOINTS) for (const { key, value } of messages) this.#checkpoint.add(key.toString(), value);
    }
  }
}

function eventOf(namespace: string, { key: bytes, value, headers }: OutgoingRecord): PublishedEvent {
  const key = bytes.toString();
  if (value !== null) return { ...decodeChangeEvent(value), namespace, key };
  const position = parseTombstone(headers)?.position ?? new Position(0, 0);
  return { namespace, op: 'delete', key, position, transaction: null, updateDescription: null, document: undefined };
}

/** In buffers of its own: those of a record are written again. */
function kept(event: PublishedEvent): PublishedEvent {
  const { document, updateDescription } = event;
  return {
    ...event,
    document: document && Buffer.from(document),
    updateDescription: updateDescription && { ...updateDescription, updatedFields: Buffer.from(updateDescription.updatedFields) },
  };
}
