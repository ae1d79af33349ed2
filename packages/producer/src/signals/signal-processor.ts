// Reads what a running producer is asked for, and does it, one after the other. The offset behind a signal goes into the
// checkpoint with, or behind, the signal's effect: `kill -9` anywhere repeats a signal at most, and none is lost.
import { Queue, runServices } from '@tailwater/runtime';
import type { TrackedNamespace } from '../changes/change-batch.js';
import { type Checkpoint, NOTHING_PAUSED, signalsMessage } from '../checkpoint/checkpoint-record.js';
import { isMongoRefusal } from '../source/mongo/mongo-errors.js';
import type { NamespaceKind } from '../source/mongo/namespace-kinds.js';
import type { OrderedWriter } from '../writer/ordered-writer.js';
import { type ActionContext, act } from './actions.js';
import { decodeSignal, type Signal } from './signal.js';
import type { SignalPlace, SignalRecord } from './signal-topic.js';

export interface SignalProcessorDependencies extends Omit<ActionContext, 'isResumeAhead'> {
  /** Hands over the records from a place on, until the signal aborts; `take` does not wait. */
  readonly read: (from: SignalPlace, take: (record: SignalRecord) => void, signal: AbortSignal) => Promise<void>;
  readonly kindOf: (namespace: TrackedNamespace) => Promise<NamespaceKind | undefined>;
  readonly writer: Pick<OrderedWriter, 'writeCheckpoint'>;
}

export class SignalProcessor {
  readonly #deps: SignalProcessorDependencies;
  readonly #context: ActionContext;
  readonly #from: SignalPlace;
  readonly #inbox = new Queue<SignalRecord>();

  constructor(deps: SignalProcessorDependencies, checkpoint: Checkpoint) {
    this.#deps = deps;
    this.#context = { ...deps, isResumeAhead: () => [...this.#inbox].some((record) => tryDecode(record)?.kind === 'resume') };
    this.#from = { offset: checkpoint.signals, topicId: checkpoint.signalsTopic };
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
    // What waits for a paused tail would otherwise wait for ever: the resume stands behind it in line.
    if (tryDecode(record)?.kind === 'resume') this.#deps.pauses.set(NOTHING_PAUSED);
    this.#inbox.put(record);
  }

  async #work(signal: AbortSignal): Promise<void> {
    for (let next = await this.#inbox.take(signal); next !== undefined; next = await this.#inbox.take(signal))
      await this.#execute(next, signal);
  }

  async #execute(record: SignalRecord, signal: AbortSignal): Promise<void> {
    const { source, writer, logger } = this.#deps;
    const behind = signalsMessage(source, record.offset + 1n, record.topicId);
    const asked = tryDecode(record);
    const about = asked === undefined ? {} : { id: asked.id, ...('namespace' in asked ? { namespace: asked.namespace } : {}) };
    const refusal = asked === undefined ? 'this release does not understand it' : await this.#refusal(asked);
    if (asked === undefined || refusal !== undefined) {
      logger.warn({ ...about, offset: record.offset.toString(), reason: refusal }, 'A signal was ignored');
      await writer.writeCheckpoint(() => [behind]);
      return;
    }
    logger.info({ ...about, signal: asked.kind }, 'Signal received');
    try {
      const effect = await act(asked, this.#context, signal);
      await writer.writeCheckpoint(() => [...effect(), behind]);
    } catch (error) {
      if (!isMongoRefusal(error)) throw error;
      // It would be refused again after every start.
      logger.error({ ...about, signal: asked.kind, err: error }, 'A signal was dropped: MongoDB refuses the operation');
      await writer.writeCheckpoint(() => [behind]);
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
}

function tryDecode({ value }: SignalRecord): Signal | undefined {
  try {
    return decodeSignal(value);
  } catch {
    return undefined;
  }
}
