// The log in a file that rotates. Written synchronously: a line that was logged is in the file even when the next statement ends the
// process. Names are those that logrotate gives (`x.log`, `x.log.1`, …), so the newest lines are always in the file that was asked for.
//
// Maintained invariant: a line is either in the file or on stderr. A file that cannot be written any more (a full disk) ends nothing:
// lines go to stderr, which says so, until the file takes them again.

import { accessSync, closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../async/clock.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { LogFallback } from './log-fallback.js';
import { type Rotation, rotateAtMs, shiftFiles } from './rotation.js';

/** How often a file that cannot be written is tried again, and looked at whether it is still the one of that name. */
const RETRY_MS = 10_000;
const LOOK_MS = 1_000;
const ROTATE_AGAIN_MS = 600_000;

export class LogFile {
  readonly #path: string;
  readonly #rotation: Rotation;
  readonly #fallback: LogFallback;
  readonly #clock: Clock;
  #file: number | undefined;
  #inode = 0;
  #bytes = 0;
  #rotateAtMs = 0;
  /** These three by the monotonic clock. */
  #lookAtMs = 0;
  #rotateAgainAtMs = 0;
  /** While the file cannot be written: when it is tried again. */
  #retryAtMs: number | undefined;
  /** The last line ended in its middle, because the disk was full. */
  #torn = false;

  /** @throws TailwaterError TW1403 or TW1405 when the file cannot be written */
  constructor(path: string, rotation: Rotation, fallback: LogFallback, clock: Clock) {
    this.#path = path;
    this.#rotation = rotation;
    this.#fallback = fallback;
    this.#clock = clock;
    try {
      this.#open();
    } catch (error) {
      throw toError(path, error as NodeJS.ErrnoException);
    }
  }

  write(line: string): void {
    const now = this.#clock.monotonic();
    if (this.#retryAtMs !== undefined && now < this.#retryAtMs) {
      this.#fallback.write(line);
      return;
    }
    const bytes = Buffer.from(line);
    try {
      this.#reopenIfMoved(now);
      if (this.#isDue(bytes.length, now)) this.#rotate(now);
      if (this.#torn) this.#append(Buffer.from('\n'));
      this.#append(bytes);
    } catch (error) {
      if (this.#retryAtMs === undefined) this.#fallback.failed(toError(this.#path, error as NodeJS.ErrnoException));
      this.#retryAtMs = now + RETRY_MS;
      this.#fallback.write(line);
      return;
    }
    if (this.#retryAtMs !== undefined) this.#fallback.recovered(`The log file ${this.#path} can be written again`);
    this.#retryAtMs = undefined;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #append(bytes: Buffer): void {
    for (let written = 0; written < bytes.length; ) {
      const count = writeSync(this.#file ?? this.#open(), bytes, written);
      written += count;
      this.#bytes += count;
      this.#torn = written < bytes.length;
    }
  }

  #isDue(bytes: number, now: number): boolean {
    if (now < this.#rotateAgainAtMs || this.#bytes === 0) return false;
    const isFull = this.#rotation.bytes > 0 && this.#bytes + bytes > this.#rotation.bytes;
    return isFull || this.#clock.now() >= this.#rotateAtMs;
  }

  /** A file that cannot be renamed is written further: better one that is too large than none. */
  #rotate(now: number): void {
    try {
      shiftFiles(this.#path, this.#rotation.keep);
    } catch (error) {
      this.#rotateAgainAtMs = now + ROTATE_AGAIN_MS;
      const reason = reasonOf(this.#path, error as NodeJS.ErrnoException);
      this.#fallback.failed(
        new TailwaterError(errorCodes.FILE_NOT_WRITTEN, { path: `a new log file ${this.#path}`, reason }, { cause: error }),
      );
      return;
    }
    this.close();
    this.#open();
  }

  /** Another program may have moved the file or removed it: another tool that rotates, or a second process with the same file. */
  #reopenIfMoved(now: number): void {
    if (now < this.#lookAtMs) return;
    this.#lookAtMs = now + LOOK_MS;
    if (statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode) return;
    this.close();
    this.#open();
  }

  #open(): number {
    const file = openSync(this.#path, 'a', 0o640);
    const { ino, size, mtimeMs } = fstatSync(file);
    this.#file = file;
    this.#inode = ino;
    this.#bytes = size;
    this.#torn = false;
    // A file of yesterday is rotated by the first line of today.
    this.#rotateAtMs = rotateAtMs(this.#rotation.every, size === 0 ? this.#clock.now() : mtimeMs);
    return file;
  }
}

/**
 * Whether a log could be written to the file; nothing is made or written.
 *
 * @throws TailwaterError TW1405
 */
export function checkLogFile(path: string): void {
  try {
    const there = statSync(path, { throwIfNoEntry: false });
    const folder = dirname(path);
    if (there?.isDirectory()) throw Object.assign(new Error('a directory'), { code: 'EISDIR' });
    if (there === undefined && statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
      throw Object.assign(new Error('no directory'), { code: 'ENOENT' });
    accessSync(there === undefined ? folder : path, constants.W_OK);
  } catch (error) {
    throw toError(path, error as NodeJS.ErrnoException);
  }
}

function toError(path: string, error: NodeJS.ErrnoException): TailwaterError {
  const named = `the log file ${path}`;
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    return new TailwaterError(errorCodes.DISK_FULL, { path: named }, { cause: error });
  return new TailwaterError(errorCodes.FILE_NOT_WRITTEN, { path: named, reason: reasonOf(path, error) }, { cause: error });
}

function reasonOf(path: string, error: NodeJS.ErrnoException): string {
  return REASONS[error.code ?? '']?.(path) ?? error.message;
}

const REASONS: Readonly<Record<string, (path: string) => string>> = {
  ENOENT: (path) => `there is no directory ${dirname(path)}`,
  EACCES: () => 'this user may not',
  ENOTDIR: (path) => `${dirname(path)} is no directory`,
  EISDIR: () => 'it is a directory',
  EROFS: () => 'the file system is read-only',
};
