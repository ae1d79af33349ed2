import { describe, expect, test } from 'vitest';
import { Freshness, formatCommitMetadata, parseCommitMetadata } from '#consumer/commit/freshness.js';

const DAY = 24 * 3600 * 1000;
const KEPT = 7 * DAY;
const NOW = 1_800_000_000_000;
const LAGGING = { lag: 5, publishedAtMs: undefined };
const IN_STEP = { lag: 0, publishedAtMs: undefined };

describe('Freshness', () => {
  test('a group that was away for less than tombstones are kept has missed none', () => {
    const freshness = new Freshness({ freshAtMs: NOW - 6.9 * DAY }, KEPT, NOW);
    expect(freshness.advance(LAGGING, NOW)).toBe(false);
    expect(freshness.missed).toBeUndefined();
  });

  test('one that was away for longer may have, is told once, and stays so in what it commits', () => {
    const freshness = new Freshness({ freshAtMs: NOW - 8 * DAY }, KEPT, NOW);
    expect(freshness.advance(LAGGING, NOW)).toBe(true);
    expect(freshness.advance(LAGGING, NOW + 1000)).toBe(false);
    expect(freshness.advance(IN_STEP, NOW + 2000)).toBe(false);
    const missed = { fromMs: NOW - 8 * DAY, toMs: NOW };
    expect(parseCommitMetadata(formatCommitMetadata(freshness.note))).toEqual({ freshAtMs: NOW + 2000, missed });
    expect(new Freshness(freshness.note, KEPT, NOW + DAY).missed).toEqual(missed);
  });

  test('one that was away for longer, but has everything, has missed none', () => {
    const freshness = new Freshness({ freshAtMs: NOW - 30 * DAY }, KEPT, NOW);
    expect(freshness.advance(IN_STEP, NOW)).toBe(false);
    expect(freshness.note.freshAtMs).toBe(NOW);
  });

  test('one that never quite catches up, but reads what was published a moment ago, has missed none', () => {
    const freshness = new Freshness(undefined, KEPT, NOW);
    for (let day = 1; day < 30; day++) {
      expect(freshness.advance({ lag: 3, publishedAtMs: NOW + day * DAY - 1000 }, NOW + day * DAY)).toBe(false);
    }
  });

  test('one that lags by more than tombstones are kept may have, though it runs all the time', () => {
    const freshness = new Freshness(undefined, KEPT, NOW);
    const reports: number[] = [];
    for (let day = 1; day < 9; day++) if (freshness.advance({ lag: 3, publishedAtMs: NOW }, NOW + day * DAY)) reports.push(day);
    expect(reports).toEqual([8]);
  });

  test('a new group that reads years of history has missed none', () => {
    const freshness = new Freshness(undefined, KEPT, NOW);
    expect(freshness.advance({ lag: 1_000_000, publishedAtMs: NOW - 400 * DAY }, NOW + 1000)).toBe(false);
  });

  test('nothing is concluded while it is not known how long tombstones are kept', () => {
    const freshness = new Freshness({ freshAtMs: 0 }, Number.POSITIVE_INFINITY, NOW);
    expect(freshness.advance(LAGGING, NOW)).toBe(false);
  });

  test.each([null, undefined, '', 'nonsense', '7', '{"fresh":"yesterday"}', 'null'])('%j is no note', (text) => {
    expect(parseCommitMetadata(text)).toBeUndefined();
  });
});
