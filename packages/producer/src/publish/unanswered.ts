// What kafkajs says it has sent is compared with what it was given. When a partition's leader moves while a batch is on its way to several brokers, kafkajs asks only those brokers again
// that have not answered: a partition that now is led by one that has is left out, and the batch counts as sent.
import type { TopicRecords } from '../encode/record-encoder.js';

/** That a broker has taken what it was sent for a partition. */
interface Answer {
  readonly topicName: string;
  readonly partition: number;
}

/** The records of those partitions of which no broker has said that it took them, in their order. */
export function unanswered(sent: readonly TopicRecords[], answers: readonly Answer[]): TopicRecords[] {
  const answered = new Map<string, Set<number>>();
  for (const { topicName, partition } of answers) {
    const partitions = answered.get(topicName);
    if (partitions === undefined) answered.set(topicName, new Set([partition]));
    else partitions.add(partition);
  }
  const rest: TopicRecords[] = [];
  for (const { topic, messages } of sent) {
    const partitions = answered.get(topic);
    if (messages.every(({ partition }) => partitions?.has(partition))) continue;
    rest.push({ topic, messages: messages.filter(({ partition }) => !partitions?.has(partition)) });
  }
  return rest;
}
