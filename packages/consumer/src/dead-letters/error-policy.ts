// What becomes of a change that the target refuses for good, and of a record that cannot be decoded: --on-error. In each case it is
// counted and told, and the rest goes on; only `stop` ends the process, before anything behind it is committed (promise E).
import { abortable, type Clock, errorCodes, type Logger, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, UnknownSchemaError } from '@tailwater/schema';
import type { Delivery, Outcome } from '../apply/delivery.js';
import { UnlistedRecordError } from '../decode/decode-record.js';
import type { FetchedRecord, TopicPartition } from '../subscribe/subscription.js';
import type { Rejection } from '../targets/target.js';
import { type DeadLetterReason, deadLetterId, encodeDeadLetter } from './dead-letter.js';
import type { DeadLetterWriter } from './dead-letter-writer.js';

export type OnError = 'dead-letter' | 'skip' | 'stop';

/** Refusals come in thousands when a mapping is wrong: the first is told, then one every so often. */
const REPEAT_MS = 10_000;

const OUTCOMES = { 'dead-letter': 'deadLettered', skip: 'skipped' } as const;

export interface ErrorPolicyParts {
  readonly writer: Pick<DeadLetterWriter, 'write'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class ErrorPolicy {
  readonly #parts: ErrorPolicyParts;
  readonly #onError: OnError;
  readonly #target: string;
  #untold = 0;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /** @param target the kind of target, for messages */
  constructor(parts: ErrorPolicyParts, onError: OnError, target: string) {
    this.#parts = parts;
    this.#onError = onError;
    this.#target = target;
  }

  /** @throws TailwaterError TW1305 when the process is to stop for it */
  refused({ change, record }: Delivery, { code, reason }: Rejection, signal: AbortSignal): Promise<Outcome> {
    const namespace = formatNamespace(change.namespace);
    if (this.#onError === 'stop')
      throw new TailwaterError(errorCodes.DOCUMENT_REFUSED, { target: this.#target, key: change.key.slice(0, 200), namespace, reason });
    // What the transform refused has no place at the target yet.
    const destination = change.refusal === undefined ? namespace : undefined;
    return this.#settle(record, change, { kind: 'refused', code, reason, destination, position: change.position.toString() }, signal);
  }

  /**
   * Why a record that cannot be decoded is waited at rather than put aside: a later release wrote it, or it has its schema in a registry. Who upgrades the producer
   * first, or forgets an option, must not find every change since among the dead letters. Undefined for what no release and no option could read.
   *
   * @throws TailwaterError TW1502, TW1564: the same, when the process is to stop for it
   */
  waitsAt(record: FetchedRecord, { topic, partition }: TopicPartition, cause: Error, hasRegistry: boolean): TailwaterError | undefined {
    const error = this.#unreadable({ topic, partition, offset: record.offset }, cause, hasRegistry);
    if (error !== undefined && this.#onError === 'stop') throw error;
    return error;
  }

  #unreadable(where: { topic: string; partition: number; offset: string }, cause: Error, hasRegistry: boolean): TailwaterError | undefined {
    // Whatever is to be skipped: every record would be, for an option that was forgotten.
    if (cause instanceof UnlistedRecordError && !hasRegistry)
      return new TailwaterError(errorCodes.REGISTRY_NEEDED, { ...where, id: cause.schemaId }, { cause });
    if (!(cause.cause instanceof UnknownSchemaError) || this.#onError === 'skip') return undefined;
    return new TailwaterError(errorCodes.UNKNOWN_SCHEMA, { ...where, fingerprint: cause.cause.fingerprint }, { cause });
  }

  /** @throws TailwaterError TW1501 when the process is to stop for it */
  undecodable(record: FetchedRecord, place: TopicPartition, cause: Error, signal: AbortSignal): Promise<Outcome> {
    const reason = cause.message;
    const where = { topic: place.topic, partition: place.partition, offset: record.offset };
    if (this.#onError === 'stop') throw new TailwaterError(errorCodes.UNDECODABLE_RECORD, { ...where, reason }, { cause });
    const told = { kind: 'undecodable', code: errorCodes.UNDECODABLE_RECORD, reason, destination: undefined, position: undefined } as const;
    return this.#settle(record, place, told, signal);
  }

  async #settle(
    record: FetchedRecord,
    place: TopicPartition,
    why: Pick<DeadLetterReason, 'kind' | 'code' | 'reason' | 'destination' | 'position'>,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const outcome = OUTCOMES[this.#onError as keyof typeof OUTCOMES];
    if (outcome === 'deadLettered') {
      const deadLetter = encodeDeadLetter(place, record, { ...why, target: this.#target, refusedAtMs: this.#parts.clock.now() });
      try {
        await abortable(this.#parts.writer.write(deadLetter), signal);
      } catch (error) {
        // It may be written or not. The next reader of the record writes it again, in its own place.
        if (signal.aborted) return 'returned';
        throw error;
      }
    }
    this.#tell(outcome, { record: deadLetterId(place, record.offset), ...why });
    return outcome;
  }

  #tell(outcome: 'deadLettered' | 'skipped', what: { readonly record: string; readonly kind: string; readonly reason: string }): void {
    const now = this.#parts.clock.monotonic();
    this.#untold += 1;
    if (now - this.#toldAtMs < REPEAT_MS) return;
    const { record, kind, reason } = what;
    const done = outcome === 'deadLettered' ? 'put aside as a dead letter' : 'skipped';
    const said = kind === 'refused' ? 'The target refuses a change for good' : 'A record cannot be decoded';
    this.#parts.logger.warn({ record, reason, count: this.#untold }, `${said}: ${done}`);
    this.#toldAtMs = now;
    this.#untold = 0;
  }
}
