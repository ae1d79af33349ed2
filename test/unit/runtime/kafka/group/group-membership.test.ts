// A process is one member for as long as it wants to be one, and none when it has left, whatever was under way and however slow the answers are.
import { createLogger, GroupMembership } from '@tailwater/runtime';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { ModelCoordinator } from './support/model-coordinator.js';

const logger = createLogger({ name: 'test', level: 'silent' });
const OPTIONS = { groupId: 'g', sessionTimeoutMs: 5_000, rebalanceTimeoutMs: 5_000, heartbeatMs: 3 };
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Gives everything to its leader. */
const ALL = Buffer.from('all');

class Session {
  readonly given: string[] = [];
  confirmedMs = 0;
  losses = 0;
  readonly membership: GroupMembership;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** What it waits for before it joins, and before it shares out. */
  before: { prepare?: Promise<void>; share?: Promise<void> } = {};

  constructor(coordinator: ModelCoordinator) {
    const connections = { member: coordinator.connections(this), beside: coordinator.connections(this) };
    this.membership = new GroupMembership(
      connections,
      OPTIONS,
      {
        name: 'test',
        prepare: async () => this.before.prepare,
        metadata: () => Buffer.from('me'),
        share: async (members, ownId) => {
          await this.before.share;
          return members.map(({ memberId }) => ({ memberId, assignment: memberId === ownId ? ALL : Buffer.alloc(0) }));
        },
        given: async (assignment) => {
          this.given.push(String(assignment));
          return false;
        },
        confirmed: (sentMs) => {
          this.confirmedMs = sentMs;
        },
        lost: async () => {
          this.losses += 1;
        },
      },
      logger,
    );
    this.#running = this.membership.run(this.#stop.signal);
  }

  get has(): string | undefined {
    return this.given.at(-1);
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.membership.leave();
  }
}

describe('a membership', () => {
  const sessions = fc.array(fc.record({ afterMs: fc.nat(8), forMs: fc.nat(40) }), { minLength: 1, maxLength: 8 });

  it('leaves nobody behind, whenever its sessions end and however long answers take', async () => {
    const property = fc.asyncProperty(sessions, fc.infiniteStream(fc.nat(6)), fc.nat(30), async (each, latencies, delayMs) => {
      const coordinator = new ModelCoordinator(delayMs, () => latencies.next().value ?? 0);
      const ended: Promise<void>[] = [];
      for (const { afterMs, forMs } of each) {
        await pause(afterMs);
        const session = new Session(coordinator);
        ended.push(pause(forMs).then(() => session.end()));
      }
      const last = new Session(coordinator);
      await Promise.all(ended);
      await vi.waitFor(() => expect(coordinator.members.size).toBe(1), { interval: 2, timeout: 4_000 });
      // All that the others had is the last one's.
      await vi.waitFor(() => expect(last.has).toBe('all'), { interval: 2, timeout: 4_000 });
      expect(coordinator.pending.size).toBe(0);
      for (const by of new Set(coordinator.ids.map((given) => given.by))) {
        expect(coordinator.ids.filter((given) => given.by === by)).toHaveLength(1);
      }
      await last.end();
      expect(coordinator.members.size + coordinator.pending.size).toBe(0);
    });
    await fc.assert(property, { numRuns: 25 });
  });

  it('is confirmed by requests that were sent after the question, and joins anew when it was forgotten', async () => {
    const coordinator = new ModelCoordinator(0, () => 1);
    const session = new Session(coordinator);
    await vi.waitFor(() => expect(session.has).toBe('all'));
    const askedMs = performance.now();
    await vi.waitFor(() => expect(session.confirmedMs).toBeGreaterThan(askedMs));
    expect(session.membership.state).toMatchObject({ isMember: true, isLeader: true, rebalances: 1 });
    coordinator.forget([...coordinator.members.keys()][0] as string);
    await vi.waitFor(() => expect(session.losses).toBe(1));
    await vi.waitFor(() => expect(session.given).toEqual(['all', 'all']));
    expect(coordinator.members.size).toBe(1);
    await session.end();
  });

  it.each(['prepare', 'share'] as const)('says that it lives, and hears when it is given up, while it has to %s', async (step) => {
    const coordinator = new ModelCoordinator(0, () => 1);
    const session = new Session(coordinator);
    await vi.waitFor(() => expect(session.has).toBe('all'));
    let go: () => void = () => undefined;
    session.before = {
      [step]: new Promise<void>((resolve) => {
        go = resolve;
      }),
    };
    session.membership.rejoin();
    const [id] = [...coordinator.members.keys()] as [string];
    const heard = coordinator.heartbeats;
    await vi.waitFor(() => expect(coordinator.heartbeats).toBeGreaterThan(heard + 5));
    coordinator.forget(id);
    await vi.waitFor(() => expect(session.losses).toBe(1));
    go();
    await vi.waitFor(() => expect(session.given).toEqual(['all', 'all']));
    await session.end();
  });

  it('does not wait for a coordinator that is gone for longer than three seconds', async () => {
    const coordinator = new ModelCoordinator(0, () => 0);
    const session = new Session(coordinator);
    await vi.waitFor(() => expect(session.has).toBe('all'));
    coordinator.close();
    const sinceMs = performance.now();
    await session.end();
    expect(performance.now() - sinceMs).toBeLessThan(4_000);
  });
});
