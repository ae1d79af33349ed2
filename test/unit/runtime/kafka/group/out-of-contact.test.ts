// A join may take as long as other members do, but a coordinator that answers nothing is noticed within the session timeout.
import { type Broker, type BrokerConnections, BrokerRefusal, createLogger, ERROR, GroupMembership } from '@tailwater/runtime';
import { describe, expect, test, vi } from 'vitest';
import { outOfContact } from '#runtime/kafka/group/out-of-contact.js';

const SESSION_MS = 300;
const never = new Promise<never>(() => undefined);

/** A coordinator that lets one join through and then takes no other; it answers heartbeats, by default with the wish for another join, for as long as it is told to. */
function scene(beat = (): Promise<void> => Promise.reject(new BrokerRefusal(ERROR.REBALANCE_IN_PROGRESS, 'Heartbeat'))) {
  const state = { joins: 0, lost: 0, dropped: 0, isThere: true };
  const send = ({ name }: { name: string }): Promise<unknown> => {
    if (!state.isThere) return never;
    if (name === 'FindCoordinator') return Promise.resolve({ nodeId: 1, host: 'a', port: 1, rack: null });
    if (name === 'Heartbeat') return beat();
    if (name === 'SyncGroup') return Promise.resolve(Buffer.alloc(0));
    state.joins += 1;
    return state.joins > 1 ? never : Promise.resolve({ error: 0, generation: 1, leaderId: 'other', memberId: 'me', members: [] });
  };
  const broker = { send } as unknown as Broker;
  const connections = {
    any: () => Promise.resolve(broker),
    node: () => Promise.resolve(broker),
    know: () => undefined,
    dropIdle: () => undefined,
    drop: () => {
      state.dropped += 1;
    },
  } as unknown as BrokerConnections;
  const member = new GroupMembership(
    { member: connections, beside: connections },
    { groupId: 'g', sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: 60_000, heartbeatMs: SESSION_MS / 10 },
    {
      name: 'test',
      metadata: () => Buffer.alloc(0),
      share: () => Promise.resolve([]),
      given: () => Promise.resolve(false),
      lost: () => {
        state.lost += 1;
        return Promise.resolve();
      },
    },
    createLogger({ name: 'test', level: 'silent' }),
  );
  return { state, member };
}

describe('a member whose request to join is not answered', () => {
  test('keeps what it was given while the coordinator is there, and gives it up soon when it is not', async () => {
    const { state, member } = scene();
    const stop = new AbortController();
    const running = member.run(stop.signal);
    await vi.waitFor(() => expect(state.joins).toBe(2), { timeout: 5_000 });
    const joinedMs = performance.now();
    await vi.waitFor(() => expect(performance.now() - joinedMs).toBeGreaterThan(SESSION_MS * 3), { timeout: 5_000 });
    expect(state).toMatchObject({ lost: 0, dropped: 0 });
    expect(member.state.isMember).toBe(true);
    state.isThere = false;
    const frozenMs = performance.now();
    await vi.waitFor(() => expect(state.lost).toBe(1), { timeout: 5_000, interval: 10 });
    expect(performance.now() - frozenMs).toBeLessThan(SESSION_MS * 3);
    expect(state.dropped).toBe(1);
    expect(member.state.isMember).toBe(false);
    stop.abort();
    await running;
  });
});

test('a member whose heartbeat is not answered gives up what it has within its session, and not when the request times out', async () => {
  const { state, member } = scene(() => Promise.resolve());
  const stop = new AbortController();
  const running = member.run(stop.signal);
  await vi.waitFor(() => expect(member.state.isMember).toBe(true), { timeout: 5_000 });
  state.isThere = false;
  const frozenMs = performance.now();
  await vi.waitFor(() => expect(state.lost).toBe(1), { timeout: 5_000, interval: 10 });
  expect(performance.now() - frozenMs).toBeLessThan(SESSION_MS * 3);
  stop.abort();
  await running;
});

test('one probe at a time is under way', async () => {
  const stop = new AbortController();
  let probes = 0;
  const probe = () => {
    probes += 1;
    return never;
  };
  await expect(outOfContact({ lastMs: performance.now(), limitMs: 100, probe }, stop.signal)).rejects.toMatchObject({ retriable: true });
  expect(probes).toBe(1);
});
