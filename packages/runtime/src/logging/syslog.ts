// The log to a syslog server.
//
// Maintained invariant: a line is handed to the server's socket, or is on stderr. A server that cannot be reached ends nothing, and keeps
// nothing from starting: lines go to stderr, which says so, until it is there. Over UDP there is no word of what arrived.

import { sleep } from '../async/sleep.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { LogFallback } from './log-fallback.js';
import { formatSyslogAddress, type SyslogAddress } from './syslog-address.js';
import { openLink, type SyslogLink } from './syslog-link.js';
import { type SyslogHeader, syslogMessage } from './syslog-message.js';

const RECONNECT_MS = 1_000;
/** Over UDP every other datagram to a closed port seems to be sent: only so long without an error is a recovery. */
const QUIET_MS = 5_000;

interface SyslogParts extends SyslogHeader {
  readonly address: SyslogAddress;
  readonly fallback: LogFallback;
}

export class Syslog {
  readonly #parts: SyslogParts;
  readonly #closed = new AbortController();
  #link: SyslogLink | undefined;
  /** Since it was told that the server fails: when it last did. */
  #failedAtMs: number | undefined;

  constructor(parts: SyslogParts) {
    this.#parts = parts;
  }

  /** Resolves after the first attempt, whether or not it succeeds; others follow. */
  async open(): Promise<void> {
    if (!(await this.#connect())) void this.#reconnect();
  }

  /** @param level - pino's number */
  write(line: string, level: number): void {
    const isSent = this.#link?.send(syslogMessage(this.#parts, level, line, Date.now())) === true;
    if (!isSent) {
      if (this.#link !== undefined) this.#failed(new Error('it does not take lines as fast as they are written'));
      this.#parts.fallback.write(line);
    } else if (this.#failedAtMs !== undefined && performance.now() - this.#failedAtMs > QUIET_MS) this.#recovered();
  }

  /** Resolves when what was written is with the network. */
  async close(): Promise<void> {
    this.#closed.abort();
    const link = this.#link;
    this.#link = undefined;
    await link?.end();
  }

  async #connect(): Promise<boolean> {
    const onLost = (error: Error) => {
      if (this.#closed.signal.aborted) return;
      this.#link = undefined;
      this.#failed(error);
      void this.#reconnect();
    };
    try {
      this.#link = await openLink(this.#parts.address, { onError: (error) => this.#failed(error), onLost });
      return true;
    } catch (error) {
      this.#failed(error as Error);
      return false;
    }
  }

  async #reconnect(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await sleep(RECONNECT_MS, signal);
      if (signal.aborted || !(await this.#connect())) continue;
      if (signal.aborted) await this.close();
      else this.#recovered();
      return;
    }
  }

  #failed(error: Error): void {
    const { address, fallback } = this.#parts;
    const isNew = this.#failedAtMs === undefined;
    this.#failedAtMs = performance.now();
    if (!isNew) return;
    const reason = (error as NodeJS.ErrnoException).code ?? error.message;
    fallback.failed(new TailwaterError(errorCodes.SYSLOG_SERVER_UNREACHABLE, { address: formatSyslogAddress(address), reason }));
  }

  #recovered(): void {
    if (this.#failedAtMs === undefined) return;
    this.#failedAtMs = undefined;
    this.#parts.fallback.recovered(`The syslog server ${formatSyslogAddress(this.#parts.address)} takes lines again`);
  }
}
