// What belongs to nobody counts as lag, and is told when it lasts.

import type { DescribedGroup } from '@tailwater/runtime';
import { expect, test } from 'vitest';
import { readiness } from '#consumer/cli/report.js';
import { GroupElsewhere } from '#consumer/subscribe/group-elsewhere.js';
import { encodeAssignment } from '#consumer/subscribe/member-protocol.js';
import { ALL_IS_WELL } from '#test/support/all-is-well.js';

const never = new AbortController().signal;
const topic = 'tw.shop.orders';

/** A topic of three partitions, of which this process has the first; `others` are those that another one has. */
function scene() {
  let now = 0;
  const group = { state: 'Stable', others: [] as number[], lag: 5, asked: 0 };
  const clock = { now: () => now, monotonic: () => now };
  const topics = new Map([[topic, { topic, id: undefined, leaders: [1, 1, 1] }]]);
  const elsewhere = new GroupElsewhere({
    offsets: { lags: async (partitions) => partitions.map((each) => ({ ...each, lag: group.lag })) },
    catalog: { topics } as never,
    isOwned: ({ partition }) => partition === 0,
    describe: async (): Promise<DescribedGroup> => {
      group.asked += 1;
      const assignment = encodeAssignment(group.others.map((partition) => ({ topic, partition })));
      return { state: group.state, members: [{ memberId: 'other', clientId: 'c', assignment }] };
    },
    clock,
  });
  const after = async (ms: number) => {
    now += ms;
    await elsewhere.look(never);
    return elsewhere.nobodys;
  };
  return { elsewhere, group, after };
}

test('a group whose leader shares out nothing is told of after half a minute, and its lag at once', async () => {
  const { elsewhere, group, after } = scene();
  expect(await after(0)).toBeUndefined();
  expect(elsewhere.view).toEqual({ partitions: 2, lag: 10 });
  expect(await after(20_000)).toBeUndefined();
  const nobodys = await after(15_000);
  expect(nobodys).toEqual({ partitions: 2, forMs: 35_000 });
  const view = {
    isMember: true,
    sinceMs: 0,
    rebalances: 1,
    lateAnswers: 0,
    elsewhere: undefined,
    leaderless: [],
    denied: [],
    late: undefined,
  };
  const pipeline = { group: { ...view, nobodys }, waiting: [], unreadable: [], target: undefined as never };
  expect(readiness({ failure: undefined }, pipeline, 'k', ALL_IS_WELL)).toMatchObject({
    ready: false,
    reasons: [expect.stringMatching(/^2 partitions .* no process for 35 s/)],
  });
  group.others = [1, 2];
  expect(await after(15_000)).toBeUndefined();
});

test('what others have is not told of, nor what is applied, nor what is between two owners', async () => {
  const { group, after } = scene();
  group.others = [1, 2];
  await after(0);
  expect(await after(60_000)).toBeUndefined();
  group.others = [];
  group.state = 'PreparingRebalance';
  await after(20_000);
  expect(await after(60_000)).toBeUndefined();
  group.state = 'Stable';
  group.lag = 0;
  const { asked } = group;
  await after(20_000);
  expect(await after(60_000)).toBeUndefined();
  expect(group.asked).toBe(asked);
});
