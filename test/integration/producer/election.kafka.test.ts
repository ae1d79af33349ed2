// The members of the group of a source's producers, as the broker counts them, with Kafka's default `group.initial.rebalance.delay.ms`: a session that ends has
// left, whatever was under way, and producers of the version before this one are obeyed and followed.
import { type Kafka, startKafka, waitFor } from '@tailwater/devstack';
import { createKafka, createLogger } from '@tailwater/runtime';
import kafkajs, { type Consumer, type GroupDescription } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { KafkaElection } from '#producer/election/kafka-election.js';
import { earlierAssigner } from './support/earlier-assigner.js';

const TOPIC = 'tw.checkpoints';
const SESSIONS = 20;
/** The sessions end at different moments of their first second, in milliseconds. */
const STEP_MS = 30;

const logger = createLogger({ name: 'test', level: 'silent' });
let kafka: Kafka;
beforeAll(async () => {
  kafka = await startKafka();
  await kafka.createTopic(TOPIC);
  await waitFor(() => group('any'), { describe: 'the broker to coordinate groups' });
});
afterAll(() => kafka?.stop());

const ends: (() => Promise<unknown>)[] = [];
afterEach(() => Promise.all(ends.splice(0).map((end) => end())));

interface Candidate {
  readonly leads: boolean;
  readonly standsBy: boolean;
  end(): Promise<void>;
}

function candidate(groupId: string): Candidate {
  const client = createKafka({ brokers: kafka.brokers, clientId: 'test' }, logger);
  const election = new KafkaElection(client, { topic: TOPIC, groupId, sessionTimeoutMs: 10_000 }, logger);
  const stop = new AbortController();
  const running = election.run(stop.signal);
  let [lead, standsBy]: [AbortSignal | undefined, boolean] = [undefined, false];
  const standBy = (): void => {
    standsBy = true;
  };
  election
    .elected(stop.signal, standBy)
    .then((held) => {
      lead = held;
    })
    .catch(() => {});
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  ends.push(end);
  return {
    get leads() {
      return lead?.aborted === false;
    },
    get standsBy() {
      return standsBy;
    },
    end,
  };
}

const group = (groupId: string): Promise<GroupDescription> =>
  kafka.withAdmin(async (admin) => {
    // kafkajs looks for a coordinator among the brokers that it has heard of; this tells it of all.
    await admin.listGroups();
    return (await admin.describeGroups([groupId])).groups[0] as GroupDescription;
  });

const settled = (groupId: string, members: number): Promise<GroupDescription> =>
  waitFor(() => group(groupId), {
    until: (now) => now?.state === 'Stable' && now.members.length === members,
    describe: (last) => `${members} members, not ${last?.members.length} of a group that is ${last?.state}`,
    timeoutMs: 30_000,
  });

const leaders = ({ members }: GroupDescription): string[] =>
  members
    .filter(({ memberAssignment }) => {
      const { assignment } = kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment) ?? {};
      return assignment?.[TOPIC]?.includes(0);
    })
    .map(({ clientId }) => clientId);

describe('a session that ends within its first second', () => {
  it('has left the group, and the one that goes on is its only member', async () => {
    const left: number[] = [];
    for (let session = 0; session < SESSIONS; session++) {
      const { end } = candidate('short');
      await new Promise((resolve) => setTimeout(resolve, session * STEP_MS));
      await end();
      left.push((await group('short')).members.length);
    }
    expect(left).toEqual(Array.from({ length: SESSIONS }, () => 0));
    const last = candidate('short');
    const description = await settled('short', 1);
    expect(leaders(description)).toHaveLength(1);
    expect(last.leads).toBe(true);
    expect(await settled('short', 1)).toMatchObject({ members: [{ memberId: description.members[0]?.memberId }] });
  });
});

describe('producers of this version and the one before', () => {
  /** A member as the version before made it. */
  async function earlier(groupId: string, startedAtMs: number): Promise<Consumer> {
    const claim: { leadingSinceMs: number | null } = { leadingSinceMs: null };
    const consumer = new kafkajs.Kafka({ brokers: kafka.brokers, clientId: 'earlier', logLevel: kafkajs.logLevel.NOTHING }).consumer({
      groupId,
      heartbeatInterval: 100,
      maxWaitTimeInMs: 100,
      partitionAssigners: [earlierAssigner(TOPIC, () => ({ ...claim, startedAtMs }))],
    });
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      claim.leadingSinceMs = payload.memberAssignment[TOPIC]?.includes(0) ? Date.now() : null;
    });
    ends.push(() => consumer.disconnect());
    await consumer.connect();
    await consumer.subscribe({ topics: [TOPIC] });
    await consumer.run({ autoCommit: false, eachBatch: async () => {} });
    return consumer;
  }

  it('take turns in one group, and nobody is moved by one that joins', async () => {
    const before = await earlier('mixed', 1);
    expect(leaders(await settled('mixed', 1))).toEqual(['earlier']);
    const one = candidate('mixed');
    expect(leaders(await settled('mixed', 2))).toEqual(['earlier']);
    await waitFor(() => one.standsBy, { describe: 'the newcomer to stand by' });
    await before.disconnect();
    await waitFor(() => one.leads, { describe: 'the newcomer to lead' });
    await earlier('mixed', 1);
    expect(leaders(await settled('mixed', 2))).not.toContain('earlier');
    expect(one.leads).toBe(true);
    await one.end();
    await waitFor(() => group('mixed'), {
      until: (now) => now?.state === 'Stable' && leaders(now).includes('earlier'),
      describe: 'the earlier version to lead',
    });
  });
});
