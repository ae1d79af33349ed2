// Reads what a running producer is asked for, and does it, one after the other. The offset behind a signal goes into the
// checkpoint with, or behind, the signal's effect: `kill -9` anywhere repeats a signal at most, and none is lost.
import { type Logger, runServices, woken } from '@tailwater/runtime';
import type { Refresher } from '../backfill/refresh/refresher.js';
import type { Snapshotter } from '../backfill/snapshot/snapshotter.js';
import type { Sweeper } from '../backfill/sweep/sweeper.js';
import type { TrackedNamespace } from '../changes/change-batch.js';
import { type Checkpoint, type CheckpointMessage, NOTHING_PAUSED, pausedMessage, signalsMessage } from '../checkpoint/checkpoint-record.js';
import { isMongoRefusal } from '../source/mongo/mongo-errors.js';
import type { NamespaceKind } from '../source/mongo/namespace-kinds.js';
import type { Pauses } from '../writer/pauses.js';
import type { Sequencer } from '../writer/sequencer.js';
import type { SignalRecord } from './kafka-signal-topic.js';
import { decodeSignal, type Signal } from './signal.js';

export interface SignalDeskDependencies {
  /** Hands over the records from an offset on, until the signal aborts; `take` does not wait. */
  readonly read: (from: bigint, take: (record: SignalRecord) => void, signal: AbortSignal) => Promise<void>;
  readonly namespaceOf: (name: string) => TrackedNamespace;
  readonly kindOf: (namespace: TrackedNamespace) => Promise<NamespaceKind | undefined>;
  readonly snapshotter: Snapshotter;
  readonly sweeper: Sweeper;
  readonly refresher: Refresher;
  readonly sequencer: Sequencer;
  readonly pauses: Pauses;
  /** The source's name in checkpoints. */
  readonly source: string;
  readonly logger: Logger;
}

export class SignalDesk {
  readonly #deps: SignalDeskDependencies;
  readonly #from: bigint;
  readonly #inbox: SignalRecord[] = [];
  #wake: () => void = () => {};

  constructor(deps: SignalDeskDependencies, checkpoint: Checkpoint) {
    this.#deps = deps;
    this.#from = checkpoint.signals;
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      const read = { run: (stop: AbortSignal) => this.#deps.read(this.#from, (record) => this.#take(record), stop) };
      await runServices([read, { run: (stop) => this.#work(stop) }], signal);
    } catch (error) {
      // What was under way when the signal aborted is done again after the next start.
      if (!signal.aborted) throw error;
    }
  }

  #take(record: SignalRecord): void {
    this.#inbox.push(record);
    // What waits for a paused tail would otherwise wait for ever: the resume stands behind it in line.
    if (tryDecode(record)?.kind === 'resume') this.#deps.pauses.set(NOTHING_PAUSED);
    this.#wake();
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const record = this.#inbox.shift();
      if (record !== undefined) {
        await this.#execute(record, signal);
        continue;
      }
      await woken(signal, (wake) => {
        this.#wake = wake;
      });
    }
  }

  async #execute(record: SignalRecord, signal: AbortSignal): Promise<void> {
    const { source, sequencer, logger } = this.#deps;
    const behind = signalsMessage(source, record.offset + 1n);
    const asked = tryDecode(record);
    const about = asked === undefined ? {} : { id: asked.id, ...('namespace' in asked ? { namespace: asked.namespace } : {}) };
    const refusal = asked === undefined ? 'this release does not understand it' : await this.#refusal(asked);
    if (asked === undefined || refusal !== undefined) {
      logger.warn({ ...about, offset: record.offset.toString(), reason: refusal }, 'A signal was passed over');
      await sequencer.note(() => [behind]);
      return;
    }
    logger.info({ ...about, signal: asked.kind }, 'Signal received');
    try {
      const effect = await this.#effect(asked, signal);
      await sequencer.note(() => [...effect(), behind]);
    } catch (error) {
      if (!isMongoRefusal(error)) throw error;
      // It would be refused again after every start.
      logger.error({ ...about, signal: asked.kind, err: error }, 'A signal was given up: MongoDB refuses what it takes');
      await sequencer.note(() => [behind]);
    }
  }

  async #refusal(asked: Signal): Promise<string | undefined> {
    if (!('namespace' in asked)) return undefined;
    const namespace = this.#deps.namespaceOf(asked.namespace);
    if (!namespace.included) return 'its namespace is not included';
    // A reconcile takes what a collection of that name has left in the topic.
    if (asked.kind === 'reconcile') return undefined;
    const kind = await this.#deps.kindOf(namespace);
    return kind === 'view' || kind === 'timeseries' ? 'its namespace is no collection, but a view or time series' : undefined;
  }

  /** Does what can be done before the note of it, and returns what takes place with the note, when that is its turn. */
  async #effect(asked: Signal, signal: AbortSignal): Promise<() => CheckpointMessage[]> {
    const { source, snapshotter, sweeper, refresher, pauses, namespaceOf, logger } = this.#deps;
    switch (asked.kind) {
      case 'snapshot':
        return () => [snapshotter.restart(namespaceOf(asked.namespace), true)];
      case 'reconcile': {
        const namespace = namespaceOf(asked.namespace);
        return () => [sweeper.adopt(namespace, 'reconcile'), snapshotter.restart(namespace, true)];
      }
      case 'refresh': {
        const refreshed = await refresher.refresh(namespaceOf(asked.namespace), asked.ids, signal);
        logger.info({ id: asked.id, namespace: asked.namespace, ...refreshed }, 'Documents were refreshed');
        return () => [];
      }
      case 'pause':
      case 'resume': {
        const paused = asked.kind === 'resume' ? NOTHING_PAUSED : { snapshots: true, tail: asked.tail };
        return () => {
          // A resume that was read already has ended this pause: what stands between them in line may wait for the tail.
          if (!this.#inbox.some((record) => tryDecode(record)?.kind === 'resume')) pauses.set(paused);
          return [pausedMessage(source, paused)];
        };
      }
    }
  }
}

function tryDecode({ value }: SignalRecord): Signal | undefined {
  try {
    return decodeSignal(value);
  } catch {
    return undefined;
  }
}
