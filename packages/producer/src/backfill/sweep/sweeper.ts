// Gives tombstones to documents that are alive in a topic and absent from the source (promises C and F): after a drop, a
// rename, a gap, or on request. A pending sweep is in the checkpoint, so that no crash forgets it.
//
// A key is looked for twice: once to sort out the many that are there, and once more inside a window of touched keys, as
// chunks of a snapshot are read. What the tail touches after that is dropped, so no tombstone overtakes an insert (promise B).
import { type Logger, Notifier } from '@tailwater/runtime';
import { decodeChangeEvent, type Position, type SchemaIds } from '@tailwater/schema';
import type { TrackedNamespace } from '../../changes/change-batch.js';
import {
  type Checkpoint,
  type CheckpointMessage,
  pendingSweep,
  type SweepReason,
  type SweepRecord,
  sweepMessage,
} from '../../checkpoint/checkpoint-record.js';
import type { TopicLayout } from '../../encode/record-encoder.js';
import type { ProducerMetrics } from '../../metrics/producer-metrics.js';
import type { OrderedWriter } from '../../writer/ordered-writer.js';
import type { BackfillWriter } from '../backfill-writer.js';
import type { ReadRows } from '../read-rows.js';
import type { IdsByKey, Presence } from '../source-keys.js';
import type { ScannedRecord } from './kafka-topic-scan.js';
import { TopicPass } from './topic-pass.js';

export interface SweeperDependencies {
  /** Reads a topic from its beginning to where it ends now: tells how many offsets there are, and hands over the records. */
  readonly scan: (
    topic: string,
    sized: (offsets: number) => void,
    take: (records: readonly ScannedRecord[]) => Promise<void>,
    signal: AbortSignal,
  ) => Promise<void>;
  readonly topics: { existing(namespace: TrackedNamespace): Promise<TopicLayout | undefined> };
  /** The source's documents; of a source of many parts, those of all of them. */
  readonly keys: { find(namespace: TrackedNamespace, ids: IdsByKey, notBefore: Position, signal: AbortSignal): Promise<Presence> };
  readonly writer: Pick<OrderedWriter, 'writeCheckpoint' | 'settled'>;
  readonly backfill: BackfillWriter;
  readonly metrics: ProducerMetrics;
  /** The source's name in checkpoints. */
  readonly source: string;
  /** What a schema registry knows, where one is used. */
  readonly schemas: SchemaIds;
  readonly logger: Logger;
}

export interface SweepStatus {
  readonly namespace: string;
  readonly state: 'pending' | 'running';
  readonly reason: SweepReason;
  readonly requestedAtMs: number;
  /** Offsets of the topic that were read, of all that there were when the sweep began. */
  readonly records: number;
  readonly total: number;
  readonly tombstones: number;
}

/** A sweep under way, or about to be. */
interface Task {
  readonly record: SweepRecord;
  records: number;
  total: number;
  tombstones: number;
  isRunning: boolean;
}

export class Sweeper {
  readonly #deps: SweeperDependencies;
  /** By namespace, first come first served. Another request replaces the object, so that the sweep under way is not the last. */
  readonly #pending = new Map<TrackedNamespace, Task>();
  readonly #requested = new Notifier();

  /** @param namespaceOf - the namespace of a name in the checkpoint */
  constructor(deps: SweeperDependencies, checkpoint: Checkpoint, namespaceOf: (name: string) => TrackedNamespace) {
    this.#deps = deps;
    for (const [name, record] of checkpoint.sweeps) {
      const namespace = namespaceOf(name);
      // One that is left out waits until it is included again.
      if (record.state === 'pending' && namespace.included) this.#await(namespace, record);
    }
  }

  /** Asks for a sweep of a namespace. Resolves when the request is on its way to Kafka, ahead of everything that follows. */
  async request(namespace: TrackedNamespace, reason: SweepReason): Promise<void> {
    await this.#deps.writer.writeCheckpoint(() => [this.adopt(namespace, reason)]);
  }

  /** Takes on a sweep; the record that it returns makes that last. */
  adopt(namespace: TrackedNamespace, reason: SweepReason): CheckpointMessage {
    const record = pendingSweep(reason);
    this.#await(namespace, record);
    return sweepMessage(this.#deps.source, namespace.name, record);
  }

  #await(namespace: TrackedNamespace, record: SweepRecord): void {
    this.#pending.delete(namespace);
    this.#pending.set(namespace, { record, records: 0, total: 0, tombstones: 0, isRunning: false });
    this.#requested.notify();
  }

  statuses(): SweepStatus[] {
    return [...this.#pending].map(([{ name }, { record, records, total, tombstones, isRunning }]) => ({
      namespace: name,
      state: isRunning ? 'running' : 'pending',
      reason: record.reason,
      requestedAtMs: record.requestedAtMs,
      records,
      total,
      tombstones,
    }));
  }

  /** Sweeps what was requested, and what will be, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        const [next] = this.#pending;
        if (next !== undefined) await this.#sweep(...next, signal);
        else await this.#requested.next(signal);
      }
    } catch (error) {
      // What was under way when the signal aborted is still pending, and begins again after the next start.
      if (!signal.aborted) throw error;
    }
  }

  async #sweep(namespace: TrackedNamespace, task: Task, signal: AbortSignal): Promise<void> {
    const { writer, backfill, topics, source, logger } = this.#deps;
    task.isRunning = true;
    await backfill.untilNear(signal);
    // What the sweep was asked for is in the topic before its end is looked up. A commit is answered before a reader of committed
    // records can see it, but the next transaction of the same producer begins only after that: so another one goes first.
    await writer.writeCheckpoint(() => (this.#pending.get(namespace) === task ? [sweepMessage(source, namespace.name, task.record)] : []));
    await writer.settled();
    const startedAtMs = Date.now();
    const layout = await topics.existing(namespace);
    if (layout !== undefined) await this.#pass(namespace, task, layout.topic, signal);
    const { record, total, tombstones } = task;
    const isLast = await writer.writeCheckpoint(() => {
      // A drop that came meanwhile has asked again.
      if (this.#pending.get(namespace) !== task) return [];
      return [sweepMessage(source, namespace.name, { ...record, state: 'done', finishedAtMs: Date.now(), tombstones })];
    });
    if (!isLast) return;
    if (this.#pending.get(namespace) === task) this.#pending.delete(namespace);
    const seconds = (Date.now() - startedAtMs) / 1000;
    logger.info(
      { namespace: namespace.name, reason: record.reason, records: total, tombstones, seconds },
      'The topic was swept: documents that the source no longer has got tombstones',
    );
  }

  async #pass(namespace: TrackedNamespace, task: Task, topic: string, signal: AbortSignal): Promise<void> {
    const { scan, metrics, schemas, logger } = this.#deps;
    const pass = new TopicPass({
      present: (ids) => this.#present(namespace, ids, signal),
      publishTombstones: async (ids) => {
        task.tombstones += await this.#publishTombstones(namespace, ids, signal);
      },
      decode: schemas.hasRegistry
        ? async (value) => {
            await schemas.learn(value, signal);
            return decodeChangeEvent(value, schemas);
          }
        : decodeChangeEvent,
    });
    const sized = (offsets: number): void => {
      task.total = offsets;
    };
    const take = async (records: readonly ScannedRecord[]): Promise<void> => {
      await pass.take(records);
      task.records += records.length;
      metrics.sweepRead(records.length);
    };
    await scan(topic, sized, take, signal);
    await pass.finish();
    if (pass.unlisted > 0) {
      logger.error(
        { namespace: namespace.name, topic, records: pass.unlisted },
        'The sweep cannot read records that name their schema by an id of a schema registry: start with --schema-registry, and ask for a reconcile',
      );
    }
    if (pass.foreign === 0) return;
    logger.warn({ namespace: namespace.name, topic, records: pass.foreign }, 'The sweep ignored records that no Tailwater producer wrote');
  }

  /** Which of the keys the source has. */
  async #present(namespace: TrackedNamespace, ids: IdsByKey, signal: AbortSignal): Promise<ReadonlySet<string>> {
    const { backfill, keys } = this.#deps;
    const window = backfill.open(namespace);
    try {
      return (await backfill.read(window, (notBefore) => keys.find(namespace, ids, notBefore, signal), signal)).present;
    } finally {
      backfill.close(window);
    }
  }

  /** Publishes tombstones for those of the keys that the source does not have, and returns how many. */
  async #publishTombstones(namespace: TrackedNamespace, ids: IdsByKey, signal: AbortSignal): Promise<number> {
    const { backfill, keys } = this.#deps;
    const read = async (notBefore: Position): Promise<ReadRows> => {
      const { present, position } = await keys.find(namespace, ids, notBefore, signal);
      return { documents: [], absent: [...ids.keys()].filter((key) => !present.has(key)), position };
    };
    return (await backfill.readAndPublish(namespace, read, 'sweep', signal)).published;
  }
}
