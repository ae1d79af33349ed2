import { Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import { BurnRate } from '#producer/headroom/burn-rate.js';
import { T } from '../support/entries.js';

const windowOf = (from: number, to: number, usedBytes: number) => ({
  oldest: new Position(T + from, 1),
  newest: new Position(T + to, 1),
  size: { usedBytes, maxBytes: 1000 },
});

describe('BurnRate', () => {
  it('is the growth of an oplog that is not full', () => {
    const burn = new BurnRate();
    burn.add(windowOf(0, 100, 200), 0);
    expect(burn.bytesPerSecond).toBeUndefined();
    burn.add(windowOf(0, 110, 300), 10_000);
    expect(burn.bytesPerSecond).toBe(10);
  });

  it('is what a full one loses at its end', () => {
    const burn = new BurnRate();
    burn.add(windowOf(0, 100, 1000), 0);
    burn.add(windowOf(20, 110, 1000), 10_000);
    expect(burn.bytesPerSecond).toBe(20);
  });

  it('forgets what is long ago, and is nought when nothing is written', () => {
    const burn = new BurnRate();
    burn.add(windowOf(0, 100, 100), 0);
    for (let minute = 1; minute < 12; minute++) burn.add(windowOf(0, 100, 900), minute * 60_000);
    expect(burn.bytesPerSecond).toBe(0);
  });

  it('knows nothing where the size cannot be read', () => {
    const burn = new BurnRate();
    for (const atMs of [0, 60_000]) burn.add({ ...windowOf(0, 100, 1), size: undefined }, atMs);
    expect(burn.bytesPerSecond).toBeUndefined();
  });
});
