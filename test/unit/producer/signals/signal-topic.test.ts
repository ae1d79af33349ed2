// Signals of a topic that another one has taken the place of: by offsets alone, those of the new one before the old place would never be executed.
import type { TopicPartitions } from '@tailwater/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { CheckpointReader } from '#producer/checkpoint/checkpoint-record.js';
import { type SignalRecord, SignalTopic } from '#producer/signals/signal-topic.js';
import { keptLog } from '../../../integration/producer/support/kept-log.js';

const TOPIC = 'tw.signals';
type Id = string | undefined;

const stops: AbortController[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop.abort();
});

/** A topic with so many signals, and what the brokers answer that are asked one after the other; the last one goes on answering. */
function world(count: number, ...ids: [Id, ...Id[]]) {
  const state = { count, ids };
  const { logger, lines } = keptLog();
  const topics = (id: Id): ReadonlyMap<string, TopicPartitions> => new Map([[TOPIC, { topic: TOPIC, id, leaders: [1], replicas: 1 }]]);
  const topic = new SignalTopic({
    topic: TOPIC,
    list: { read: async () => topics(state.ids.length > 1 ? (state.ids.shift() as Id) : state.ids[0]) },
    end: async () => BigInt(state.count),
    read: async (from, take, signal) => {
      for (let offset = from; offset < BigInt(state.count); offset += 1n) await take([{ offset, value: null }]);
      if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      signal.throwIfAborted();
    },
    logger,
  });
  return { state, topic, lines };
}

function reading(topic: SignalTopic, from: { readonly signals: bigint; readonly signalsTopic: Id }): string[] {
  const taken: string[] = [];
  const stop = new AbortController();
  stops.push(stop);
  const take = ({ topicId, offset }: SignalRecord): void => void taken.push(`${topicId} ${offset}`);
  topic.read({ offset: from.signals, topicId: from.signalsTopic }, take, stop.signal).catch(() => {});
  return taken;
}

/** What the checkpoint says once that is noted. */
function noted(messages: readonly { readonly key: Buffer; readonly value: Buffer | null }[]): object | undefined {
  const reader = new CheckpointReader('rs0');
  for (const { key, value } of messages) reader.add(String(key), value);
  const { signals, signalsTopic } = reader.result();
  return messages.length === 0 ? undefined : { signals, signalsTopic };
}

describe('a producer that starts', () => {
  it.each<[string, number, Id[], bigint, Id, object, boolean]>([
    ['the topic is the one that it was', 5, ['a'], 3n, 'a', { signals: 3n, signalsTopic: 'a' }, false],
    ['it is another with more signals', 5, ['b'], 3n, 'a', { signals: 0n, signalsTopic: 'b' }, true],
    ['it is another with fewer signals', 2, ['b'], 3n, 'a', { signals: 0n, signalsTopic: 'b' }, true],
    ['one of two brokers tells the id of an earlier topic', 5, ['old', 'a'], 3n, 'a', { signals: 3n, signalsTopic: 'a' }, false],
    ['an earlier release noted no id', 5, ['a'], 3n, undefined, { signals: 3n, signalsTopic: 'a' }, true],
    [
      'an earlier release noted no id, and it is another with fewer signals',
      2,
      ['b'],
      3n,
      undefined,
      { signals: 0n, signalsTopic: 'b' },
      true,
    ],
    ['brokers tell no ids', 5, [undefined], 3n, undefined, { signals: 3n, signalsTopic: undefined }, false],
    ['brokers tell no ids, and it has fewer signals', 2, [undefined], 3n, undefined, { signals: 0n, signalsTopic: undefined }, true],
    ['brokers tell no ids any more', 5, [undefined], 3n, 'a', { signals: 3n, signalsTopic: 'a' }, false],
    ['nothing was executed yet', 5, ['a'], 0n, undefined, { signals: 0n, signalsTopic: 'a' }, false],
  ])('goes on where the checkpoint says: %s', async (_, count, ids, signals, signalsTopic, place, isNoted) => {
    const { topic } = world(count, ...(ids as [Id]));
    const begun = await topic.begin('rs0', { signals, signalsTopic });
    expect(begun.place).toEqual(place);
    expect(noted(begun.noted)).toEqual(isNoted ? place : undefined);
  });
});

describe('a producer that runs', () => {
  it('executes every signal of a topic that takes the place of the one that it reads', async () => {
    const { state, topic, lines } = world(4, 'a');
    const { place } = await topic.begin('rs0', { signals: 3n, signalsTopic: 'a' });
    const taken = reading(topic, place);
    await expect.poll(() => taken).toEqual(['a 3']);
    await topic.look();
    expect(lines).toEqual([]);
    [state.count, state.ids] = [5, ['b']];
    await topic.look();
    await expect.poll(() => taken.slice(1)).toEqual(['b 0', 'b 1', 'b 2', 'b 3', 'b 4']);
    expect(lines).toHaveLength(1);
  });

  it('goes on when one broker alone tells another id, and when brokers begin to tell them', async () => {
    const { state, topic } = world(1, 'a');
    const { place } = await topic.begin('rs0', { signals: 0n, signalsTopic: 'a' });
    const taken = reading(topic, place);
    await expect.poll(() => taken).toEqual(['a 0']);
    state.ids = ['old', 'a'];
    await topic.look();
    expect(taken).toEqual(['a 0']);
    const without = world(1, undefined);
    const began = await without.topic.begin('rs0', { signals: 0n, signalsTopic: undefined });
    const alsoTaken = reading(without.topic, began.place);
    await expect.poll(() => alsoTaken).toEqual(['undefined 0']);
    without.state.ids = ['a'];
    await without.topic.look();
    expect(alsoTaken).toEqual(['undefined 0']);
  });

  it('begins at the beginning when the topic changed between its start and its first read', async () => {
    const { state, topic } = world(5, 'a');
    const { place } = await topic.begin('rs0', { signals: 3n, signalsTopic: 'a' });
    state.ids = ['b'];
    await topic.look();
    const taken = reading(topic, place);
    await expect.poll(() => taken).toEqual(['b 0', 'b 1', 'b 2', 'b 3', 'b 4']);
  });

  it('executes each once when it has read of another topic before it noticed', async () => {
    const { state, topic } = world(5, 'a');
    const { place } = await topic.begin('rs0', { signals: 3n, signalsTopic: 'a' });
    state.ids = ['b'];
    const taken = reading(topic, place);
    await expect.poll(() => taken).toEqual(['b 0', 'b 1', 'b 2', 'b 3', 'b 4']);
    await topic.look();
    expect(taken).toHaveLength(5);
  });
});
