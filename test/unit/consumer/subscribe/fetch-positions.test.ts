import { describe, expect, test } from 'vitest';
import { FetchPositions, type FetchState, toFetchPosition } from '#consumer/subscribe/fetch-positions.js';

const partition = { topic: 'tw.shop.orders', partition: 0 };
const scene = (offset = 100): { positions: FetchPositions; state: FetchState } => {
  const positions = new FetchPositions();
  positions.add([{ ...partition, offset }]);
  return { positions, state: positions.get(partition.topic, 0) as FetchState };
};

describe('FetchPositions', () => {
  test('an answer counts when it was asked for at exactly the position, by the broker that was asked last', () => {
    const { positions, state } = scene();
    positions.ask(state, 1);
    expect(positions.expects({ state, offset: 100 }, 1)).toBe(true);
    expect(positions.dropped).toBe(0);
  });

  test('one that was asked at another position is dropped and counted', () => {
    const { positions, state } = scene();
    positions.ask(state, 1);
    expect(positions.expects({ state, offset: 99 }, 1)).toBe(false);
    expect(positions.expects({ state, offset: 101 }, 1)).toBe(false);
    expect(positions.dropped).toBe(2);
  });

  test('an answer of the broker that led before is dropped once the new leader is asked', () => {
    const { positions, state } = scene();
    positions.ask(state, 1);
    expect(positions.wanted(2, () => 2, 0)).toEqual([state]);
    positions.ask(state, 2);
    expect(positions.expects({ state, offset: 100 }, 1)).toBe(false);
    positions.release(state, 1);
    expect(state.phase).toBe('asked');
    expect(positions.expects({ state, offset: 100 }, 2)).toBe(true);
  });

  test('an answer to an assignment that has ended is dropped, also when the partition came back at the same position', () => {
    const { positions, state } = scene();
    positions.ask(state, 1);
    positions.remove([partition]);
    expect(positions.expects({ state, offset: 100 }, 1)).toBe(false);
    positions.add([{ ...partition, offset: 100 }]);
    const again = positions.get(partition.topic, 0) as FetchState;
    positions.ask(again, 1);
    expect(positions.expects({ state, offset: 100 }, 1)).toBe(false);
    expect(positions.expects({ state: again, offset: 100 }, 1)).toBe(true);
  });

  test('what is being accepted, or found no room, is not asked for; nor what was refused a moment ago', () => {
    const { positions, state } = scene();
    const wanted = (nowMs: number) => positions.wanted(1, () => 1, nowMs);
    for (const phase of ['accepting', 'full'] as const) {
      state.phase = phase;
      expect(wanted(0)).toEqual([]);
    }
    state.phase = 'idle';
    positions.pause(state, 1000);
    expect(wanted(1000 + state.refused.lastMs - 1)).toEqual([]);
    expect(wanted(1000 + state.refused.lastMs)).toEqual([state]);
    const first = state.refused.lastMs;
    positions.pause(state, 2000);
    expect(state.refused.lastMs).toBe(first * 2);
  });

  test('a leader is told which epoch was read last, unless nobody knows which epoch it leads', () => {
    const { positions, state } = scene();
    expect(toFetchPosition(state, 7)).toEqual({ ...partition, offset: 100, leaderEpoch: 7, lastEpoch: undefined });
    positions.add([
      {
        ...partition,
        offset: 100,
        epochs: [
          { epoch: 3, end: 40 },
          { epoch: 6, end: 100 },
        ],
      },
    ]);
    const read = positions.get(partition.topic, 0) as FetchState;
    expect(toFetchPosition(read, 7)).toEqual({ ...partition, offset: 100, leaderEpoch: 7, lastEpoch: 6 });
    expect(toFetchPosition(read, undefined)).toEqual({ ...partition, offset: 100, leaderEpoch: undefined, lastEpoch: undefined });
  });
});
