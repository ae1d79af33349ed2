import { expect, test } from 'vitest';
import type { OutgoingRecord } from '../../../../packages/producer/src/encode/record-encoder.js';
import { unanswered } from '../../../../packages/producer/src/publish/unanswered.js';

const record = (key: string, partition: number): OutgoingRecord => ({ key: Buffer.from(key), value: null, partition });
const [a0, b1, c0] = [record('a', 0), record('b', 1), record('c', 0)];
const sent = [
  { topic: 'orders', messages: [a0, b1, c0] },
  { topic: 'customers', messages: [a0] },
];

test('nothing is left when every partition has an answer', () => {
  const answers = [
    { topicName: 'orders', partition: 0 },
    { topicName: 'orders', partition: 1 },
    { topicName: 'customers', partition: 0 },
  ];
  expect(unanswered(sent, answers)).toEqual([]);
});

test('the records of a partition without an answer are left, in their order', () => {
  expect(
    unanswered(sent, [
      { topicName: 'orders', partition: 1 },
      { topicName: 'customers', partition: 0 },
    ]),
  ).toEqual([{ topic: 'orders', messages: [a0, c0] }]);
  expect(unanswered(sent, [{ topicName: 'orders', partition: 0 }])).toEqual([
    { topic: 'orders', messages: [b1] },
    { topic: 'customers', messages: [a0] },
  ]);
});
