// When a log file gives way to the next one, and which of the old ones stay.

import { renameSync, rmSync } from 'node:fs';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';

export const ROTATE_EVERY = ['hourly', 'daily'] as const;
export type RotateEvery = (typeof ROTATE_EVERY)[number];

export interface Rotation {
  /** A line that would make the file larger goes to the next one. 0: no limit. */
  readonly bytes: number;
  /** By the machine's own clock and time zone: on the hour, or at midnight. */
  readonly every: RotateEvery | undefined;
  /** How many old files stay, besides the one that is written. */
  readonly keep: number;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/**
 * `100m`, `1g`, `512k`, `4096` as bytes.
 *
 * @throws TailwaterError TW1081 what is no size
 */
export function parseSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(digits) * (UNITS[unit.toLowerCase()] ?? 1));
  if (digits === '' || !Number.isSafeInteger(bytes)) throw new TailwaterError(errorCodes.BAD_SIZE, { size: text });
  return bytes;
}

/** When the file that was begun at `sinceMs` is to be rotated; never: infinity. */
export function rotateAtMs(every: RotateEvery | undefined, sinceMs: number): number {
  if (every === undefined) return Number.POSITIVE_INFINITY;
  const at = new Date(sinceMs);
  if (every === 'hourly') return at.setHours(at.getHours() + 1, 0, 0, 0);
  return at.setHours(24, 0, 0, 0);
}

/** `log` becomes `log.1`, `log.1` becomes `log.2`; what would be one too many is removed. */
export function shiftFiles(path: string, keep: number): void {
  rmSync(keep === 0 ? path : `${path}.${keep}`, { force: true });
  for (let number = keep - 1; number >= 0; number -= 1) {
    renameIfThere(number === 0 ? path : `${path}.${number}`, `${path}.${number + 1}`);
  }
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
