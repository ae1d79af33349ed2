// One odd document or namespace does not stop the source: what Kafka does not take is counted, told, and written to the dead letters
// in the transaction of its neighbours, so that no checkpoint passes it unseen (promises A and E). The rest goes on.
import { type Clock, errorCodes, type Logger, systemClock, TailwaterError } from '@tailwater/runtime';
import type { Origin } from '@tailwater/schema';
import type { ChangeBatch, TrackedNamespace } from '../changes/change-batch.js';
import type { RefusedRow, TopicLayout, TopicRecords } from '../encode/record-encoder.js';
import type { UsedTopic } from '../publish/kafka-topics.js';
import { DEAD_LETTERS, type LogUse } from '../publish/topic-settings.js';
import { deadLetterOf } from './dead-letter.js';

export type OnRefused = 'quarantine' | 'stop';

/** The first of a kind is told at once, and then their number every so often. */
const REPEAT_MS = 60_000;

interface Topics {
  ensure(namespaces: readonly TrackedNamespace[]): Promise<void>;
  takeUnrecorded(): UsedTopic[];
  layoutOf(namespace: TrackedNamespace): TopicLayout;
  existing(namespace: TrackedNamespace): Promise<TopicLayout | undefined>;
  ensureLog(topic: string, use: LogUse): Promise<void>;
}

export interface QuarantineParts {
  readonly topics: Topics;
  /** Of the letters. */
  readonly topic: string;
  readonly onRefused: OnRefused;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** What is in quarantine, since the process leads. */
export interface QuarantineStatus {
  readonly namespace: string;
  readonly code: string;
  readonly letters: number;
}

/** Topics of namespaces; some may be refused. */
export class Quarantine {
  readonly #parts: QuarantineParts;
  readonly #clock: Clock;
  readonly #refused = new Map<TrackedNamespace, TailwaterError>();
  readonly #counts = new Map<
    string,
    { readonly namespace: string; readonly code: string; letters: number; untold: number; toldAtMs: number }
  >();
  #hasTopic = false;

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? systemClock;
  }

  statuses(): QuarantineStatus[] {
    return [...this.#counts.values()].map(({ namespace, code, letters }) => ({ namespace, code, letters }));
  }

  /** @throws TailwaterError what the topics throw, unless it is a namespace that is refused, and quarantine is its lot */
  async ensure(namespaces: readonly TrackedNamespace[]): Promise<void> {
    const { topics, onRefused } = this.#parts;
    const taken = namespaces.filter((namespace) => !this.#refused.has(namespace));
    try {
      await topics.ensure(taken);
    } catch (error) {
      if (onRefused === 'stop' || !isOfNamespace(error)) throw error;
      const [only, second] = taken;
      if (only !== undefined && second === undefined) this.#refused.set(only, error);
      if (second === undefined) return;
      // Which of them it is, halves of them tell: the others are made together.
      const half = Math.ceil(taken.length / 2);
      await this.ensure(taken.slice(0, half));
      await this.ensure(taken.slice(half));
    }
  }

  takeUnrecorded(): UsedTopic[] {
    return this.#parts.topics.takeUnrecorded();
  }

  /** Undefined for a namespace that is refused. */
  layoutOf(namespace: TrackedNamespace): TopicLayout | undefined {
    return this.#refused.has(namespace) ? undefined : this.#parts.topics.layoutOf(namespace);
  }

  async existing(namespace: TrackedNamespace): Promise<TopicLayout | undefined> {
    return this.#refused.has(namespace) ? undefined : this.#parts.topics.existing(namespace);
  }

  /** The letters of rows that the encoder left out. @throws TailwaterError the first refusal, where that is to stop the producer */
  async letters(rows: ChangeBatch, refused: readonly RefusedRow[], origin: Origin): Promise<TopicRecords> {
    const { topics, topic, onRefused } = this.#parts;
    const now = this.#clock.now();
    const messages = refused.map(({ row, bytes, limit }) => {
      const namespace = rows.namespace[row] as TrackedNamespace;
      const ofNamespace = this.#refused.get(namespace);
      const key = (rows.key[row] as string).slice(0, 200);
      const refusal =
        ofNamespace ?? new TailwaterError(errorCodes.DOCUMENT_TOO_LARGE_FOR_TOPIC, { namespace: namespace.name, key, bytes, limit });
      if (onRefused === 'stop') throw refusal;
      this.#tell(namespace.name, refusal);
      return deadLetterOf(rows, row, origin, refusal, ofNamespace !== undefined, now);
    });
    if (!this.#hasTopic) await topics.ensureLog(topic, DEAD_LETTERS);
    this.#hasTopic = true;
    return { topic, messages };
  }

  #tell(namespace: string, { code, message, hint }: TailwaterError): void {
    const id = `${code} ${namespace}`;
    const known = this.#counts.get(id) ?? { namespace, code, letters: 0, untold: 0, toldAtMs: Number.NEGATIVE_INFINITY };
    this.#counts.set(id, known);
    known.letters += 1;
    known.untold += 1;
    const now = this.#clock.monotonic();
    if (now - known.toldAtMs < REPEAT_MS) return;
    const { letters, untold } = known;
    const text = `Put aside in ${this.#parts.topic}: ${message}. ${hint}`;
    this.#parts.logger.warn({ code, namespace, letters, count: untold }, text);
    known.untold = 0;
    known.toldAtMs = now;
  }
}

/** The namespace has no topic, whatever its documents are. */
const isOfNamespace = (error: unknown): error is TailwaterError => error instanceof TailwaterError && error.scope === 'namespace';
