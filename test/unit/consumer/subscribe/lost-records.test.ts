import { type Broker, createLogger, ERROR, type FetchedPartition, LATEST } from '@tailwater/runtime';
import { expect, test, vi } from 'vitest';
import type { EpochHistory } from '#consumer/subscribe/epoch-history.js';
import type { FetchState } from '#consumer/subscribe/fetch-positions.js';
import { LostRecordsReport, lostAt, lostBefore } from '#consumer/subscribe/lost-records.js';

const place = { topic: 'tw.shop.orders', partition: 0 };
const state = (position: number, epochs: EpochHistory = []) => ({ ...place, position, epochs }) as FetchState;
const answer = (rest: Partial<FetchedPartition>) => ({ ...place, error: ERROR.NONE, highWatermark: 300, logStart: 0, ...rest }) as never;

/** A leader whose log begins and ends there. */
const leader = (low: number, high: number): Broker => {
  const send = async (request: { write(to: object): void }) => {
    const asked: number[] = [];
    const to: Record<string, unknown> = {};
    for (const name of ['int32', 'int8', 'string', 'array', 'int64']) {
      to[name] = (value: unknown, each?: (item: unknown) => void) => {
        if (name === 'int64') asked.push(value as number);
        if (each !== undefined) for (const item of value as unknown[]) each(item);
        return to;
      };
    }
    request.write(to);
    return [{ ...place, error: ERROR.NONE, offset: asked[0] === LATEST ? high : low, timestamp: -1 }];
  };
  return { send } as unknown as Broker;
};

test('a log that agrees has lost nothing', () => {
  expect(lostBefore(answer({}), state(100, [{ epoch: 3, end: 100 }]))).toBeUndefined();
});

test('reading goes back to where both logs are the same, and no further than the log begins', () => {
  const epochs = [
    { epoch: 3, end: 80 },
    { epoch: 4, end: 150 },
  ];
  const at = (diverging: { epoch: number; end: number }, logStart = 0) => lostBefore(answer({ diverging, logStart }), state(150, epochs));
  expect(at({ epoch: 4, end: 120 })?.point).toEqual({
    offset: 120,
    epochs: [
      { epoch: 3, end: 80 },
      { epoch: 4, end: 120 },
    ],
  });
  expect(at({ epoch: 3, end: 50 })?.point).toEqual({ offset: 50, epochs: [{ epoch: 3, end: 50 }] });
  // What the leader has more of the epoch was never read.
  expect(at({ epoch: 3, end: 110 })?.point).toEqual({ offset: 80, epochs: [{ epoch: 3, end: 80 }] });
  expect(at({ epoch: 2, end: 110 })?.point).toEqual({ offset: 0, epochs: [] });
  expect(at({ epoch: 3, end: 50 }, 60)?.point).toEqual({ offset: 60, epochs: [] });
});

test.each([
  ['before the log begins', 5, [], 'deleted'],
  ['behind its end', 250, [], 'cut'],
  ['within it, though the leader knows of no epoch as high', 150, [{ epoch: 9, end: 150 }], 'cut'],
  ['within it, where the log has changed meanwhile', 150, [], undefined],
] as const)('a place that the leader refuses is %s', async (_, position, epochs, kind) => {
  const lost = await lostAt(leader(10, 200), state(position, epochs));
  expect(lost?.kind).toBe(kind);
  if (kind !== undefined) expect(lost).toMatchObject({ point: { offset: 10, epochs: [] }, end: 200 });
});

test('many partitions of a topic are told of by one warning, with its code and the way to heal it', () => {
  const logger = createLogger({ name: 'test', level: 'silent' });
  const [warn, info] = [vi.spyOn(logger, 'warn'), vi.spyOn(logger, 'info')];
  const told = new LostRecordsReport(logger);
  for (const partition of [0, 1, 2]) told.tell({ ...place, partition }, 150, { kind: 'cut', point: { offset: 80, epochs: [] }, end: 300 });
  expect(warn.mock.calls).toEqual([
    [expect.objectContaining({ code: 'TW1364', topic: place.topic }), expect.stringContaining('reconcile')],
  ]);
  expect(info).toHaveBeenCalledTimes(2);
});
