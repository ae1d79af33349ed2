// How far the oplog is from rolling past the checkpoint (promise F): computed from what the oplog holds, in time and in bytes.
import type { Position } from '@tailwater/schema';
import type { OplogWindow } from '../source/oplog/oplog-window.js';

export interface Headroom {
  /** From the oldest to the newest entry. */
  readonly windowSeconds: number;
  /** Null where the user may not read the oplog's size. */
  readonly usedBytes: number | null;
  readonly maxBytes: number | null;
  /** From the oldest entry to the checkpoint; negative when it has left the oplog; null before there is a checkpoint. */
  readonly headroomSeconds: number | null;
  /** What of the oplog may still be written before the entry at the checkpoint is overwritten, in percent of its size. */
  readonly leftPercent: number | null;
  /** How fast the oplog is written, lately where that was observed, else on average over the window. */
  readonly burnBytesPerSecond: number | null;
  /** After so long the oplog would pass the checkpoint if the checkpoint stood still; null when that is not in sight. */
  readonly secondsToLoss: number | null;
  /** What could not be found out, and what follows from that. */
  readonly note: string | null;
}

const NO_SIZE =
  'The size of local.oplog.rs cannot be read (the role read on local allows it): the figures assume that the oplog is full and written evenly';

export function measureHeadroom(window: OplogWindow, checkpoint: Position | undefined, burnBytesPerSecond: number | undefined): Headroom {
  const windowSeconds = Math.max(0, window.newest.t - window.oldest.t);
  const headroomSeconds = checkpoint === undefined ? null : checkpoint.t - window.oldest.t;
  const behindSeconds = checkpoint === undefined ? 0 : Math.max(0, window.newest.t - checkpoint.t);
  const lost = headroomSeconds !== null && headroomSeconds < 0;
  const { size } = window;
  if (size === undefined) {
    const left = windowSeconds === 0 ? 1 : 1 - behindSeconds / windowSeconds;
    return {
      windowSeconds,
      usedBytes: null,
      maxBytes: null,
      headroomSeconds,
      leftPercent: headroomSeconds === null ? null : percent(lost ? 0 : left),
      burnBytesPerSecond: null,
      secondsToLoss: headroomSeconds === null ? null : Math.max(0, headroomSeconds),
      note: NO_SIZE,
    };
  }
  // Entries are written evenly, as far as can be known: bytes go with time.
  const behindBytes = windowSeconds === 0 ? 0 : (size.usedBytes * Math.min(behindSeconds, windowSeconds)) / windowSeconds;
  const capacity = Math.max(size.maxBytes, size.usedBytes, 1);
  const roomBytes = lost ? 0 : capacity - behindBytes;
  const burn = burnBytesPerSecond ?? (windowSeconds === 0 ? 0 : size.usedBytes / windowSeconds);
  return {
    windowSeconds,
    usedBytes: size.usedBytes,
    maxBytes: size.maxBytes,
    headroomSeconds,
    leftPercent: headroomSeconds === null ? null : percent(roomBytes / capacity),
    burnBytesPerSecond: burn,
    secondsToLoss: headroomSeconds === null || burn <= 0 ? null : Math.round(roomBytes / burn),
    note: null,
  };
}

const percent = (share: number): number => Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
