// Compares the settings of topics with what their use needs: those that lose data are refused, those that may are told.
import { type DescribedTopic, describeTopics, type TopicAdvice, type TopicUse } from '@tailwater/runtime';
import type { Admin } from 'kafkajs';
import type { FoundTopics, TopicList } from './topic-list.js';
import { assertUsable } from './topic-settings.js';

/** What a topic is judged by before any rule of its use is. */
const USABLE_BY = ['cleanup.policy', 'max.message.bytes'];

export class TopicComparison {
  readonly #admin: Admin;
  readonly #list: Pick<TopicList, 'brokers'>;
  readonly #advice: TopicAdvice | undefined;

  constructor({ admin, list }: { readonly admin: Admin; readonly list: Pick<TopicList, 'brokers'> }, advice: TopicAdvice | undefined) {
    this.#admin = admin;
    this.#list = list;
    this.#advice = advice;
  }

  /** @throws TailwaterError TW1203 */
  async judge(use: TopicUse, topics: readonly string[], found: FoundTopics): Promise<DescribedTopic[]> {
    const described = await this.#describe(use, topics, found);
    for (const each of described) assertUsable(each, use);
    this.#advice?.found(use, described, this.#list.brokers);
    return described;
  }

  /** Tells of topics that were just made: what is not ours in them is the brokers'. One that lags does not know them yet: the next start tells. */
  async advise(use: TopicUse, topics: readonly string[], found: FoundTopics): Promise<void> {
    const there = topics.filter((topic) => found.has(topic));
    if (this.#advice === undefined || there.length === 0) return;
    this.#advice.found(use, await this.#describe(use, there, found).catch(() => []), this.#list.brokers);
  }

  #describe({ rules }: TopicUse, topics: readonly string[], found: FoundTopics): Promise<DescribedTopic[]> {
    const asked = topics.map((topic) => ({ topic, replicas: found.get(topic)?.replicas ?? 0 }));
    return describeTopics(this.#admin, asked, [...new Set([...USABLE_BY, ...rules.map(({ setting }) => setting)])]);
  }
}
