// How reading MongoDB goes, for the log and the status: however many readers feel an outage, it begins once, is told of once a minute, and
// is over once, when what was read has been published again.
//
// Maintained invariant: an outage is not over while one reader fails. That a session begins, or a server is connected, ends none.
import { Backoff, type BackoffOptions, type Clock, type Logger, Outage, systemClock } from '@tailwater/runtime';
import { isRetriableMongoError } from './mongo-errors.js';

const TEXTS = {
  begins: 'MongoDB cannot be read, trying again until it can',
  lasts: 'MongoDB still cannot be read',
  over: 'MongoDB is read again',
};

/** Before another attempt. */
const PAUSES: BackoffOptions = { minMs: 250, maxMs: 10_000 };

/** One that reads on and on. */
export interface SourceReader {
  /** Tells of the failure, and waits before the next attempt is due. */
  failed(error: unknown, signal: AbortSignal, fields?: object): Promise<void>;
  answered(): void;
  /** It reads no more, and has no part in any outage. */
  close(): void;
}

export class SourceHealth {
  readonly #outage: Outage;
  readonly #clock: Clock;
  readonly #pauses: BackoffOptions;
  readonly #failing = new Set<object>();
  #trouble: { readonly reason: string; readonly sinceMs: number } | undefined;

  constructor(logger: Logger, pauses = PAUSES, clock = systemClock) {
    this.#outage = new Outage(TEXTS, logger, clock);
    this.#pauses = pauses;
    this.#clock = clock;
  }

  /** Why MongoDB cannot be read at the moment, and since when on the monotonic clock; undefined while it can. */
  get trouble(): { readonly reason: string; readonly sinceMs: number } | undefined {
    return this.#trouble;
  }

  /** For one that reads on and on. */
  reader(): SourceReader {
    const [failing, backoff, own] = [this.#failing, new Backoff(this.#pauses), {}];
    const answered = (): void => {
      backoff.reset();
      failing.delete(own);
    };
    return {
      failed: async (error, signal, fields) => {
        failing.add(own);
        this.interrupted(error, fields);
        await backoff.pause(signal);
      },
      answered,
      close: answered,
    };
  }

  /** Reads until it succeeds, the signal aborts, or it fails with what no further attempt cures. */
  async persist<T>(read: () => Promise<T>, signal: AbortSignal, fields: object): Promise<T> {
    const reader = this.reader();
    try {
      while (true) {
        try {
          return await read();
        } catch (error) {
          if (signal.aborted || !isRetriableMongoError(error)) throw error;
          await reader.failed(error, signal, fields);
        }
      }
    } finally {
      reader.close();
    }
  }

  /** Something failed because of MongoDB, and the caller tries it again. */
  interrupted(error: unknown, fields: object = {}): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#trouble = { reason, sinceMs: this.#trouble?.sinceMs ?? this.#clock.monotonic() };
    this.#outage.failed(reason, fields);
  }

  /** What was read lately is published. */
  confirmed(): void {
    if (this.#trouble === undefined || this.#failing.size > 0) return;
    this.#trouble = undefined;
    this.#outage.recovered();
  }
}
