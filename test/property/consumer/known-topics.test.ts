// Brokers that lag, each as it likes, behind a cluster in which topics come, grow, go and are made anew and leaders move: what the consumer knew rightly it goes on to know, and in the end it
// knows what is so.
import type { Broker, BrokerConnections, ClusterMetadata, TopicPartitions } from '@tailwater/runtime';
import { topicName } from '@tailwater/schema';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TopicCatalog } from '#consumer/subscribe/topic-catalog.js';

const BROKERS = [1, 2, 3] as const;
type Topics = ReadonlyMap<string, TopicPartitions>;

const NAMES = ['a', 'b', 'c'].map((collection) => topicName('tw', { database: 'shop', collection }));
const change = fc.record({
  name: fc.constantFrom(...NAMES),
  kind: fc.constantFrom('make', 'grow', 'lead', 'drop', 'remake'),
  to: fc.constantFrom(...BROKERS),
});

/** The states of the cluster, one after the other. */
function statesOf(changes: readonly { readonly name: string; readonly kind: string; readonly to: number }[]): Topics[] {
  const made = (topic: string, id: number): TopicPartitions => ({
    topic,
    id: `id-${id}`,
    leaders: [1, 2],
    leaderEpochs: [0, 0],
    replicas: 3,
  });
  const states: Topics[] = [new Map()];
  for (const [index, { name, kind, to }] of changes.entries()) {
    const next = new Map(states.at(-1));
    const now = next.get(name);
    if (now === undefined || kind === 'remake') next.set(name, made(name, index));
    else if (kind === 'drop') next.delete(name);
    else if (kind === 'grow') next.set(name, { ...now, leaders: [...now.leaders, to], leaderEpochs: [...(now.leaderEpochs ?? []), 0] });
    else
      next.set(name, {
        ...now,
        leaders: [to, ...now.leaders.slice(1)],
        leaderEpochs: [(now.leaderEpochs?.[0] ?? 0) + 1, ...(now.leaderEpochs ?? []).slice(1)],
      });
    states.push(next);
  }
  return states;
}

/** A catalog over brokers that each tell one of the states; the picks say who is asked, first and as another one. */
function scene(states: readonly Topics[], picks: readonly number[]) {
  const seen = new Map<number, number>(BROKERS.map((node) => [node, 0]));
  let turn = 0;
  const asked: number[] = [];
  const broker = (nodeId: number): Broker => {
    const send = async (): Promise<ClusterMetadata> => {
      asked.push(nodeId);
      return { brokers: [], topics: states[seen.get(nodeId) as number] as Topics, controller: 1 };
    };
    return { nodeId, takes: () => true, send } as unknown as Broker;
  };
  const pick = (of: readonly number[]): number => of[(picks[turn++ % picks.length] as number) % of.length] as number;
  const connections = {
    learn: () => undefined,
    any: async () => broker(pick(BROKERS)),
    otherThan: async (nodeId: number) => broker(pick(BROKERS.filter((each) => each !== nodeId))),
  };
  const catalog = new TopicCatalog([connections as unknown as BrokerConnections], { prefix: 'tw', includes: () => true });
  return { catalog, seen, asked };
}

const history = fc.array(change, { minLength: 1, maxLength: 12 }).map(statesOf);
const picks = fc.array(fc.nat(5), { minLength: 7, maxLength: 40 });

describe('what is known of topics', () => {
  test('stays what is so while one of three brokers tells what was so before', async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        picks,
        fc.constantFrom(...BROKERS),
        fc.array(fc.nat(20), { minLength: 1, maxLength: 20 }),
        async (states, who, lagging, lags) => {
          const { catalog, seen } = scene(states, who);
          // All are as one when it begins.
          for (const node of BROKERS) seen.set(node, states.length - 1);
          await catalog.refresh();
          expect(catalog.topics).toEqual(states.at(-1));
          for (const lag of lags) {
            seen.set(lagging, Math.max(0, states.length - 1 - lag));
            await catalog.refresh();
            // A topic that is known to nobody else any more is believed at once, since one that appears is; it cannot have been known here before.
            for (const [topic, known] of states.at(-1) as Topics) expect(catalog.topics.get(topic)).toEqual(known);
          }
        },
      ),
    );
  });

  test('never goes back: no topic that was replaced or gone is there again, no partition vanishes, no leader of an earlier epoch returns', async () => {
    await fc.assert(
      fc.asyncProperty(
        history,
        picks,
        fc.constantFrom(...BROKERS),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 30 }),
        async (states, who, lagging, steps) => {
          const { catalog, seen } = scene(states, who);
          const gone = new Set<string>();
          let [now, before]: [number, Topics] = [0, new Map()];
          for (const step of steps) {
            now = Math.min(states.length - 1, now + step);
            for (const node of BROKERS) if (node !== lagging) seen.set(node, now);
            await catalog.refresh();
            for (const [topic, { id = '', leaders, leaderEpochs = [] }] of before) {
              const after = catalog.topics.get(topic);
              if (after?.id !== id) gone.add(id);
              else {
                expect(after.leaders.length).toBeGreaterThanOrEqual(leaders.length);
                for (const [partition, epoch] of leaderEpochs.entries())
                  expect(after.leaderEpochs?.[partition]).toBeGreaterThanOrEqual(epoch);
              }
            }
            for (const { id = '' } of catalog.topics.values()) expect(gone).not.toContain(id);
            before = catalog.topics;
          }
        },
      ),
    );
  });

  test('becomes what is so when two brokers say it, one after the other', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(20), async (states, from) => {
        const { catalog, seen } = scene(states, [0]);
        for (const node of BROKERS) seen.set(node, Math.min(from, states.length - 1));
        await catalog.refresh();
        for (const node of [1, 2]) seen.set(node, states.length - 1);
        await catalog.refresh();
        expect(catalog.topics).toEqual(states.at(-1));
      }),
    );
  });
});

describe('another broker is asked', () => {
  const [a] = NAMES as [string];
  const there: Topics = new Map([[a, { topic: a, id: 'x', leaders: [1], leaderEpochs: [0], replicas: 3 }]]);
  const nothing: Topics = new Map();

  test('only when something that was known is denied', async () => {
    const { catalog, seen, asked } = scene([nothing, there], [0]);
    await catalog.refresh();
    for (const node of BROKERS) seen.set(node, 1);
    await catalog.refresh();
    await catalog.refresh();
    expect(asked).toEqual([1, 1, 1]);
    seen.set(1, 0);
    await catalog.refresh();
    expect(asked.slice(3)).toEqual([1, 2]);
    expect(catalog.topics).toEqual(there);
    for (const node of BROKERS) seen.set(node, 0);
    await catalog.refresh();
    expect(catalog.topics).toEqual(nothing);
  });
});
