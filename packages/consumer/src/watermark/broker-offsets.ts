// Where partitions end, and what the group has committed of them, as the brokers say.
import { BrokerConnections, EARLIEST, type KafkaClient, LATEST, listOffsets, readTopics, sleep } from '@tailwater/runtime';
import { checkpointTopicName } from '@tailwater/schema';
import { GroupOffsets } from '../subscribe/group-offsets.js';
import { partitionName, type TopicPartition } from '../subscribe/subscription.js';
import { TopicCatalog } from '../subscribe/topic-catalog.js';
import type { WatermarkOffsets } from './group-watermark.js';

/** Leaders are asked for no more often, in milliseconds. */
const REFRESH_MS = 500;
/** A topic that brokers have not had for so long was deleted: nothing of it is left to apply. One that was just made may not be known to each yet. */
const GONE_MS = 30_000;

export class BrokerOffsets implements WatermarkOffsets {
  readonly #prefix: string;
  readonly #connections: BrokerConnections;
  readonly #catalog: TopicCatalog;
  readonly #offsets: GroupOffsets;
  /** Since when a topic has not been there, by the monotonic clock. */
  readonly #missingSinceMs = new Map<string, number>();
  #refreshedAtMs = Number.NEGATIVE_INFINITY;

  constructor(kafka: KafkaClient, { prefix, groupId }: { readonly prefix: string; readonly groupId: string }) {
    this.#prefix = prefix;
    this.#connections = new BrokerConnections(kafka);
    this.#catalog = new TopicCatalog([this.#connections], { prefix, includes: () => true });
    this.#offsets = new GroupOffsets(this.#connections, this.#catalog, groupId);
  }

  async ends(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    if (partitions.some(({ topic, partition }) => this.#catalog.leaderOf(topic, partition) === undefined)) await this.#refresh();
    const [low, high] = await Promise.all([this.#offsets.ends(partitions, EARLIEST), this.#offsets.ends(partitions, LATEST)]);
    const ends = new Map<string, number>();
    for (const each of partitions) {
      const name = partitionName(each);
      const [begins, end] = [low.get(name), high.get(name)];
      if (begins !== undefined && end !== undefined) ends.set(name, end.offset > begins.offset ? end.offset : 0);
      else if (this.#isGone(each.topic)) ends.set(name, 0);
    }
    // A leader that has moved is found by the next call.
    if (ends.size < partitions.length) await this.#refresh();
    return ends;
  }

  async committed(partitions: readonly TopicPartition[]): Promise<ReadonlyMap<string, number>> {
    return new Map([...(await this.#offsets.committed(partitions))].map(([name, { offset }]) => [name, offset]));
  }

  /** The offset behind the last record of the checkpoint topic, committed or not; asked until a leader tells. */
  async checkpointEnd(signal: AbortSignal): Promise<bigint> {
    const place = { topic: checkpointTopicName(this.#prefix), partition: 0 };
    for (;;) {
      signal.throwIfAborted();
      const end = await this.#endOf(place).catch(() => undefined);
      if (end !== undefined) return BigInt(end);
      await sleep(REFRESH_MS, signal);
    }
  }

  close(): void {
    this.#connections.close();
  }

  async #endOf(place: TopicPartition): Promise<number | undefined> {
    const { brokers, topics } = await readTopics(await this.#connections.any(), [place.topic]);
    this.#connections.learn(brokers);
    const leader = topics.get(place.topic)?.leaders[0];
    if (leader === undefined) return undefined;
    const [listed] = await (await this.#connections.node(leader)).send(listOffsets([place], LATEST));
    return listed?.error === 0 ? listed.offset : undefined;
  }

  async #refresh(): Promise<void> {
    const now = performance.now();
    if (now - this.#refreshedAtMs < REFRESH_MS) return;
    this.#refreshedAtMs = now;
    await this.#catalog.refresh();
    for (const topic of this.#missingSinceMs.keys()) if (this.#catalog.topics.has(topic)) this.#missingSinceMs.delete(topic);
  }

  #isGone(topic: string): boolean {
    if (this.#catalog.topics.has(topic)) return false;
    const now = performance.now();
    const sinceMs = this.#missingSinceMs.get(topic) ?? now;
    this.#missingSinceMs.set(topic, sinceMs);
    return now - sinceMs > GONE_MS;
  }
}
