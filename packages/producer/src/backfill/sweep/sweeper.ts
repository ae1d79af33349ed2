// Gives tombstones to documents that are alive in a topic and absent from the source (promises C and F): after a drop, a
// rename, a gap, or because somebody asked. A pending sweep is in the checkpoint, so that no crash forgets it.
//
// A key is looked for twice: once to sort out the many that are there, and once more inside a window of touched keys, as
// chunks of a snapshot are read. What the tail touches after that is dropped, so no tombstone overtakes an insert (promise B).
import { type Logger, woken } from '@tailwater/runtime';
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
import type { SourceHealth } from '../../source/mongo/source-health.js';
import type { Sequencer } from '../../writer/sequencer.js';
import type { TailProgress } from '../../writer/tail-progress.js';
import type { TouchedKeys, Window } from '../../writer/touched-keys.js';
import type { ScannedRecord } from './kafka-topic-scan.js';
import type { KeyedIds, Presence } from './source-keys.js';
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
  readonly keys: { find(namespace: TrackedNamespace, ids: KeyedIds, notBefore: Position, signal: AbortSignal): Promise<Presence> };
  readonly sequencer: Sequencer;
  readonly progress: TailProgress;
  readonly touched: TouchedKeys;
  readonly metrics: ProducerMetrics;
  /** The source's name in checkpoints. */
  readonly source: string;
  /** What a schema registry knows, where one is used. */
  readonly schemas: SchemaIds;
  readonly health: SourceHealth;
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
  #wake: () => void = () => {};

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
    await this.#deps.sequencer.note(() => [this.adopt(namespace, reason)]);
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
    this.#wake();
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
        else await this.#requested(signal);
      }
    } catch (error) {
      // What was under way when the signal aborted is still pending, and begins again after the next start.
      if (!signal.aborted) throw error;
    }
  }

  #requested(signal: AbortSignal): Promise<void> {
    return woken(signal, (wake) => {
      this.#wake = wake;
    });
  }

  async #sweep(namespace: TrackedNamespace, task: Task, signal: AbortSignal): Promise<void> {
    const { sequencer, progress, topics, source, logger } = this.#deps;
    task.isRunning = true;
    await progress.near(signal);
    // What the sweep was asked for is in the topic before its end is looked up. A commit is answered before a reader of committed
    // records can see it, but the next transaction of the same producer begins only after that: so another one goes first.
    await sequencer.note(() => (this.#pending.get(namespace) === task ? [sweepMessage(source, namespace.name, task.record)] : []));
    await sequencer.settled();
    const startedAtMs = Date.now();
    const layout = await topics.existing(namespace);
    if (layout !== undefined) await this.#pass(namespace, task, layout.topic, signal);
    const { record, total, tombstones } = task;
    const isLast = await sequencer.note(() => {
      // A drop that came meanwhile has asked again.
      if (this.#pending.get(namespace) !== task) return [];
      return [sweepMessage(source, namespace.name, { ...record, state: 'done', finishedAtMs: Date.now(), tombstones })];
    });
    if (!isLast) return;
    if (this.#pending.get(namespace) === task) this.#pending.delete(namespace);
    const seconds = (Date.now() - startedAtMs) / 1000;
    logger.info(
      { namespace: namespace.name, reason: record.reason, records: total, tombstones, seconds },
      'The topic was swept: documents that the source no longer has have their tombstones',
    );
  }

  async #pass(namespace: TrackedNamespace, task: Task, topic: string, signal: AbortSignal): Promise<void> {
    const { scan, metrics, progress, schemas, logger } = this.#deps;
    const pass = new TopicPass({
      present: async (ids) => (await this.#find(namespace, ids, progress.end, signal)).present,
      bury: async (ids) => {
        task.tombstones += await this.#bury(namespace, ids, signal);
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
    logger.warn(
      { namespace: namespace.name, topic, records: pass.foreign },
      'The sweep left records alone that no producer of this kind wrote',
    );
  }

  /** Publishes tombstones for those of the keys that the source does not have, and returns how many. */
  async #bury(namespace: TrackedNamespace, ids: KeyedIds, signal: AbortSignal): Promise<number> {
    const { touched, progress, sequencer } = this.#deps;
    while (true) {
      signal.throwIfAborted();
      const window = touched.open(namespace);
      try {
        const { present, position } = await this.#find(namespace, ids, later(progress.end, window), signal);
        const keys = [...ids.keys()].filter((key) => !present.has(key));
        if (keys.length === 0) return 0;
        const published = await sequencer.tombstones(window, { keys, position }, signal);
        if (published !== undefined) return published;
        // Another collection has taken the name meanwhile, with documents that the tail has not seen: look again.
      } finally {
        touched.close(window);
      }
    }
  }

  #find(namespace: TrackedNamespace, ids: KeyedIds, notBefore: Position, signal: AbortSignal): Promise<Presence> {
    const { keys, health } = this.#deps;
    return health.persist(() => keys.find(namespace, ids, notBefore, signal), signal, { namespace: namespace.name });
  }
}

/** What is published already, by this session or by one before. */
const later = (end: Position, { after }: Window): Position => (end.compare(after) > 0 ? end : after);
