import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Watermark } from '#consumer/commit/watermark.js';

describe('Watermark', () => {
  test('follows changes that end in order', () => {
    const watermark = new Watermark();
    expect(watermark.next).toBeUndefined();
    const [a, b] = [watermark.begin(5), watermark.begin(7)];
    watermark.end(a);
    expect(watermark.next).toBe(6);
    watermark.end(b);
    expect(watermark.next).toBe(8);
  });

  test('waits for the oldest', () => {
    const watermark = new Watermark();
    const [a, b] = [watermark.begin(0), watermark.begin(1)];
    watermark.end(b);
    expect(watermark.next).toBeUndefined();
    watermark.end(a);
    expect(watermark.next).toBe(2);
  });

  test('passes markers, but not before what precedes them', () => {
    const watermark = new Watermark();
    watermark.skip(3);
    expect(watermark.next).toBe(4);
    const change = watermark.begin(4);
    watermark.skip(9);
    expect(watermark.next).toBe(4);
    watermark.end(change);
    expect(watermark.next).toBe(10);
  });

  // The model: every offset that began, and whether it ended.
  test('property: it is just before the oldest change that has not ended, whatever the order', () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('begin' as const) },
      { weight: 1, arbitrary: fc.constant('skip' as const) },
      { weight: 4, arbitrary: fc.nat() },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 3 }), (steps, gap) => {
        const watermark = new Watermark();
        const open = new Map<number, number>();
        let highest = -1;
        for (const each of steps) {
          if (each === 'begin') {
            highest += gap;
            open.set(watermark.begin(highest), highest);
          } else if (each === 'skip') {
            highest += gap;
            watermark.skip(highest);
          } else if (open.size > 0) {
            const sequence = [...open.keys()][each % open.size] as number;
            open.delete(sequence);
            watermark.end(sequence);
          }
          const oldest = Math.min(...open.values());
          if (open.size === 0) expect(watermark.next).toBe(highest < 0 ? undefined : highest + 1);
          else expect(watermark.next ?? 0).toBeLessThanOrEqual(oldest);
        }
        for (const sequence of open.keys()) watermark.end(sequence);
        expect(watermark.next).toBe(highest < 0 ? undefined : highest + 1);
        expect(watermark.pending).toBe(0);
      }),
    );
  });

  test('keeps no more than what is pending, over a million changes', () => {
    const watermark = new Watermark();
    const window: number[] = [];
    for (let offset = 0; offset < 1_000_000; offset++) {
      window.push(watermark.begin(offset));
      if (window.length > 1000) watermark.end(window.shift() as number);
    }
    expect(watermark.pending).toBe(1000);
    expect(watermark.next).toBe(999_000);
  });
});
