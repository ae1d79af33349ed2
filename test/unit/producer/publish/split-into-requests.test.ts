import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutgoingRecord, TopicRecords } from '#producer/encode/record-encoder.js';
import { splitIntoRequests } from '#producer/publish/split-into-requests.js';

const KILOBYTE = 1024;
const LIMITS = { batchBytes: 20 * KILOBYTE, requestBytes: 50 * KILOBYTE };
const OVERHEAD = 256;

const record = (key: string, kilobytes: number, partition = 0): OutgoingRecord => ({
  key: Buffer.from(key),
  value: kilobytes === 0 ? null : Buffer.alloc(kilobytes * KILOBYTE),
  partition,
});
const keysOf = (rounds: readonly (readonly TopicRecords[])[]): string[][] =>
  rounds.map((topics) => topics.flatMap(({ topic, messages }) => messages.map(({ key }) => `${topic}/${key}`)));

describe('inRounds', () => {
  it('sends what is small as it is', () => {
    const topics = [{ topic: 'a', messages: [record('1', 5), record('2', 5)] }];
    expect(splitIntoRequests(topics, LIMITS)).toEqual([topics]);
    expect(splitIntoRequests(topics, LIMITS)[0]).toBe(topics);
    expect(splitIntoRequests([], LIMITS)).toEqual([[]]);
  });

  it('bounds what a round brings to one partition', () => {
    const topics = [
      { topic: 'a', messages: [record('1', 12, 0), record('2', 12, 1), record('3', 12, 0), record('4', 4, 1)] },
      { topic: 'b', messages: [record('5', 12, 0)] },
    ];
    expect(keysOf(splitIntoRequests(topics, LIMITS))).toEqual([
      ['a/1', 'a/2'],
      ['a/3', 'a/4', 'b/5'],
    ]);
  });

  it('bounds it further where a topic takes less', () => {
    const messages = [record('1', 3), record('2', 3), record('3', 3), record('4', 3)];
    const topics = [
      { topic: 'a', messages, maxBytes: 8 * KILOBYTE },
      { topic: 'b', messages: [record('5', 12)] },
    ];
    expect(keysOf(splitIntoRequests(topics, LIMITS))).toEqual([
      ['a/1', 'a/2'],
      ['a/3', 'a/4', 'b/5'],
    ]);
  });

  it('bounds a round as a whole', () => {
    const messages = Array.from({ length: 8 }, (_, n) => record(String(n), 12, n));
    expect(keysOf(splitIntoRequests([{ topic: 'a', messages }], LIMITS)).map(({ length }) => length)).toEqual([4, 4]);
  });

  it('leaves a record that no broker takes alone in its batch', () => {
    const messages = [record('1', 1), record('2', 60), record('3', 1)];
    expect(keysOf(splitIntoRequests([{ topic: 'a', messages }], LIMITS))).toEqual([['a/1'], ['a/2'], ['a/3']]);
  });

  it('keeps everything, in its order, within its bounds', () => {
    const message = fc.record({ kilobytes: fc.nat(25), partition: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(fc.array(message, { maxLength: 12 }), { maxLength: 3 }), (shape) => {
        const topics = shape.map((messages, t) => ({
          topic: `t${t}`,
          messages: messages.map(({ kilobytes, partition }, n) => record(`${t}-${n}`, kilobytes, partition)),
        }));
        const rounds = splitIntoRequests(topics, LIMITS);
        expect(keysOf(rounds).flat()).toEqual(keysOf([topics]).flat());
        for (const round of rounds) {
          const batches = new Map<string, number[]>();
          for (const { topic, messages } of round) {
            for (const { partition, value } of messages) {
              const batch = `${topic} ${partition}`;
              batches.set(batch, [...(batches.get(batch) ?? []), (value?.length ?? 0) + OVERHEAD]);
            }
          }
          const sum = (sizes: readonly number[]): number => sizes.reduce((bytes, size) => bytes + size, 0);
          for (const sizes of batches.values()) if (sizes.length > 1) expect(sum(sizes)).toBeLessThanOrEqual(LIMITS.batchBytes);
          if ([...batches.values()].flat().length > 1) expect(sum([...batches.values()].flat())).toBeLessThanOrEqual(LIMITS.requestBytes);
        }
      }),
    );
  });
});
