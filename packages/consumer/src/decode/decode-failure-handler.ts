// What becomes of a record that cannot be decoded: read when its schema is known, waited at, or put aside.
import { type Clock, errorCodes, type Logger, sleep, TailwaterError } from '@tailwater/runtime';
import type { SchemaIds } from '@tailwater/schema';
import type { FetchedRecord, TopicPartition } from '../subscribe/subscription.js';
import { type UndecodableRecordError, UnlistedRecordError } from './decode-record.js';
import { SchemaLookups } from './schema-lookups.js';
import { UnreadableRecords } from './unreadable-records.js';

/** `known`: a registry has told what it knows of the schema. `aside`: nothing will ever read it. */
export type DecodeFailureOutcome = 'known' | 'waits' | 'aside';

export interface DecodeFailureHandlerParts {
  readonly schemas: SchemaIds;
  /** Why the record is waited at, if it is. */
  readonly waitsAt: (
    record: FetchedRecord,
    partition: TopicPartition,
    cause: UndecodableRecordError,
    hasRegistry: boolean,
  ) => TailwaterError | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Who waits for the verdict. */
export interface WaitingFetch {
  readonly signal: AbortSignal;
  /** Whether the partition was given back meanwhile. */
  readonly isRevoked: () => boolean;
}

/** So long, in milliseconds, what was fetched is held while a registry is asked. */
const MOMENT_MS = 1_000;

export class DecodeFailureHandler {
  readonly unreadable: UnreadableRecords;
  readonly #parts: DecodeFailureHandlerParts;
  readonly #stopped = new AbortController();
  readonly #lookups: SchemaLookups;

  constructor(parts: DecodeFailureHandlerParts) {
    this.#parts = parts;
    this.unreadable = new UnreadableRecords(parts.clock, parts.logger);
    this.#lookups = new SchemaLookups(parts.schemas, this.#stopped.signal);
  }

  /** @param isFirst whether the registry has not been asked for the record's schema a moment ago */
  async of(
    error: UndecodableRecordError,
    record: FetchedRecord,
    partition: TopicPartition,
    fetch: WaitingFetch,
    isFirst: boolean,
  ): Promise<DecodeFailureOutcome> {
    const { schemas, waitsAt } = this.#parts;
    if (error instanceof UnlistedRecordError && schemas.hasRegistry && isFirst)
      return this.#lookedUp(error.schemaId, record, partition, fetch);
    const reason = waitsAt(record, partition, error, schemas.hasRegistry);
    if (reason === undefined) return 'aside';
    this.unreadable.wait(partition, Number(record.offset), reason);
    return 'waits';
  }

  /** Nothing is asked any more. */
  stop(): void {
    this.#stopped.abort();
  }

  /** A registry that does not answer soon is waited for, with nothing held meanwhile. */
  async #lookedUp(
    id: number,
    { offset, value }: FetchedRecord,
    { topic, partition }: TopicPartition,
    fetch: WaitingFetch,
  ): Promise<DecodeFailureOutcome> {
    const asked = this.#lookups.ask(id, value as Buffer);
    const timer = new AbortController();
    const late = sleep(MOMENT_MS, AbortSignal.any([timer.signal, fetch.signal])).then(() => false);
    const isAnswered = await Promise.race([asked.then(() => true), late]).finally(() => timer.abort());
    if (isAnswered) return 'known';
    if (!fetch.signal.aborted && !fetch.isRevoked())
      this.unreadable.wait(
        { topic, partition },
        Number(offset),
        new TailwaterError(errorCodes.WAITING_FOR_A_SCHEMA, { topic, partition, offset, id }),
        asked,
      );
    return 'waits';
  }
}
