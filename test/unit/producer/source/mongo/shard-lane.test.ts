import { Position } from '@tailwater/schema';
import { Timestamp } from 'bson';
import { describe, expect, it } from 'vitest';
import { ShardLane } from '#producer/source/sharded/shard-lane.js';
import type { ChangeSource } from '#producer/source/source.js';
import { raw } from '#test/unit/producer/support/entries.js';

const START = new Position(1, 0);

describe('ShardLane', () => {
  it('reads no further while so many bytes wait, and goes on when they are taken', async () => {
    let reads = 0;
    const source: ChangeSource = {
      newestPosition: async () => START,
      async *read() {
        for (let i = 1; i <= 3; i++) {
          reads += 1;
          yield { entries: [raw({ ts: new Timestamp({ t: 1, i }), body: Buffer.alloc(1000) })], end: new Position(1, i), isWhole: true };
        }
      },
    };
    const stop = new AbortController();
    const lane = new ShardLane(source, { from: START, after: START }, 1500, () => {});
    const running = lane.run(stop.signal);
    await new Promise<void>((resolve) => setImmediate(resolve));
    // The second one came before it was known how much it would be.
    expect(reads).toBe(2);
    expect([lane.head?.i, lane.end.i]).toEqual([1, 2]);
    lane.take();
    lane.take();
    await running;
    expect([reads, lane.head?.i]).toEqual([3, 3]);
    stop.abort();
  });

  it('leaves out what was handed on before, which a member that lagged at the start repeats', async () => {
    const source: ChangeSource = {
      newestPosition: async () => START,
      async *read() {
        const at = (i: number) => raw({ ts: new Timestamp({ t: 1, i }) });
        yield { entries: [at(1), at(2)], end: new Position(1, 2), isWhole: true };
        yield { entries: [at(3), at(4)], end: new Position(1, 4), isWhole: true };
      },
    };
    const lane = new ShardLane(source, { from: START, after: new Position(1, 3) }, 0, () => {});
    await Promise.race([lane.run(new AbortController().signal), new Promise<void>((resolve) => setImmediate(resolve))]);
    expect([lane.head?.i, lane.end.i]).toEqual([4, 4]);
  });
});
