import { Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import { measureHeadroom } from '#producer/headroom/headroom.js';
import { copySeconds } from '#producer/headroom/preflight.js';
import { T } from '../support/entries.js';

const HOUR = 3600;
const GB = 1e9;
const windowOf = (hours: number, size?: { usedBytes: number; maxBytes: number }) => ({
  oldest: new Position(T, 1),
  newest: new Position(T + hours * HOUR, 1),
  size,
});
const full = windowOf(10, { usedBytes: 10 * GB, maxBytes: 10 * GB });

describe('measureHeadroom', () => {
  it('goes by time where the oplog is full', () => {
    const headroom = measureHeadroom(full, new Position(T + 4 * HOUR, 1), GB / HOUR);
    expect(headroom).toMatchObject({
      windowSeconds: 10 * HOUR,
      headroomSeconds: 4 * HOUR,
      leftPercent: 40,
      secondsToLoss: 4 * HOUR,
      note: null,
    });
  });

  it('takes the average rate before one was observed', () => {
    expect(measureHeadroom(full, new Position(T + 4 * HOUR, 1), undefined)).toMatchObject({
      burnBytesPerSecond: GB / HOUR,
      secondsToLoss: 4 * HOUR,
    });
  });

  it('knows that a young oplog loses nothing before it is full', () => {
    const young = windowOf(1, { usedBytes: GB, maxBytes: 10 * GB });
    expect(measureHeadroom(young, new Position(T, 1), GB / HOUR)).toMatchObject({
      headroomSeconds: 0,
      leftPercent: 90,
      secondsToLoss: 9 * HOUR,
    });
  });

  it('has nothing left when the checkpoint has left the oplog', () => {
    expect(measureHeadroom(full, new Position(T - 60, 1), GB / HOUR)).toMatchObject({
      headroomSeconds: -60,
      leftPercent: 0,
      secondsToLoss: 0,
    });
  });

  it('sees no loss where nothing is written, and nothing to lose before there is a checkpoint', () => {
    expect(measureHeadroom(full, full.newest, 0)).toMatchObject({ leftPercent: 100, secondsToLoss: null });
    expect(measureHeadroom(full, undefined, 1)).toMatchObject({
      headroomSeconds: null,
      leftPercent: null,
      secondsToLoss: null,
      windowSeconds: 10 * HOUR,
    });
  });

  it('does with time alone where the size cannot be read, and says so', () => {
    const headroom = measureHeadroom(windowOf(10), new Position(T + HOUR, 1), undefined);
    expect(headroom).toMatchObject({ usedBytes: null, maxBytes: null, leftPercent: 10, secondsToLoss: HOUR });
    expect(headroom.note).toContain('size');
  });

  it('takes an oplog of one entry', () => {
    expect(measureHeadroom(windowOf(0, { usedBytes: 100, maxBytes: GB }), new Position(T, 1), undefined)).toMatchObject({
      leftPercent: 100,
      secondsToLoss: null,
    });
    expect(measureHeadroom(windowOf(0), new Position(T, 1), undefined)).toMatchObject({ leftPercent: 100 });
  });
});

describe('copySeconds', () => {
  it('goes by documents or by bytes, whichever takes longer', () => {
    expect(copySeconds({ documents: 1_000_000, bytes: 1000 })).toBe(100);
    expect(copySeconds({ documents: 100, bytes: 1e9 })).toBe(100);
    expect(copySeconds({ documents: 1_000_000, bytes: undefined })).toBe(100);
  });
});
