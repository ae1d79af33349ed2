// Where the group stands in partitions, where these begin and end, and how long they keep tombstones: what a process needs to know before it reads them.
import {
  type BrokerConnections,
  BrokerRefusal,
  EARLIEST,
  ERROR,
  fetchOffsets,
  findCoordinator,
  LATEST,
  type ListedOffset,
  listOffsets,
  topicSetting,
} from '@tailwater/runtime';
import { type PartitionStanding, partitionName, type TopicPartition } from './subscription.js';
import type { TopicCatalog } from './topic-catalog.js';

const RETENTION = 'delete.retention.ms';
/** Asks for the first record that there is. */
const ANY_TIME = 0;

interface Commit {
  readonly offset: number;
  readonly metadata: string | null;
}

const isCommitted = (commit: Commit | undefined): commit is Commit => commit !== undefined && commit.offset >= 0;

export class GroupOffsets {
  readonly #connections: BrokerConnections;
  readonly #catalog: TopicCatalog;
  readonly #groupId: string;
  readonly #kept = new Map<string, number>();

  constructor(connections: BrokerConnections, catalog: TopicCatalog, groupId: string) {
    this.#connections = connections;
    this.#catalog = catalog;
    this.#groupId = groupId;
  }

  /** Rejects when one of the partitions has no leader, or a broker does not answer: the caller tries again. */
  async standing(partitions: readonly TopicPartition[]): Promise<PartitionStanding[]> {
    if (partitions.length === 0) return [];
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const [committed, low, high] = await Promise.all([
      this.#committed(partitions),
      this.#ends(partitions, EARLIEST),
      this.#ends(partitions, LATEST),
    ]);
    const [born] = await Promise.all([
      this.#births(partitions.filter((each) => !isCommitted(committed.get(partitionName(each))))),
      this.#learnRetention(topics),
    ]);
    return partitions.map(({ topic, partition }) => {
      const name = partitionName({ topic, partition });
      const commit = committed.get(name);
      return {
        topic,
        partition,
        topicId: this.#catalog.topics.get(topic)?.id,
        committed: isCommitted(commit) ? commit.offset : undefined,
        metadata: commit?.metadata ?? null,
        low: low.get(name)?.offset as number,
        end: high.get(name)?.offset as number,
        bornAtMs: born.get(name),
        tombstonesKeptMs: this.#kept.get(topic) ?? Number.POSITIVE_INFINITY,
      };
    });
  }

  /** Records that the group has not committed, by partition. */
  async lags(partitions: readonly TopicPartition[]): Promise<(TopicPartition & { readonly lag: number })[]> {
    if (partitions.length === 0) return [];
    const [committed, low, high] = await Promise.all([
      this.#committed(partitions),
      this.#ends(partitions, EARLIEST),
      this.#ends(partitions, LATEST),
    ]);
    return partitions.map(({ topic, partition }) => {
      const name = partitionName({ topic, partition });
      const next = Math.max(low.get(name)?.offset as number, committed.get(name)?.offset ?? 0);
      return { topic, partition, lag: Math.max(0, (high.get(name)?.offset as number) - next) };
    });
  }

  async #committed(partitions: readonly TopicPartition[]): Promise<Map<string, Commit>> {
    const any = await this.#connections.any();
    const address = await any.send(findCoordinator(this.#groupId));
    this.#connections.know(address);
    const coordinator = await this.#connections.node(address.nodeId);
    const offsets = await coordinator.send(fetchOffsets(this.#groupId, partitions));
    return new Map(offsets.map(({ topic, partition, offset, metadata }) => [partitionName({ topic, partition }), { offset, metadata }]));
  }

  /** Of those that have their very first record still, when that was published. */
  async #births(partitions: readonly TopicPartition[]): Promise<Map<string, number>> {
    const first = partitions.length === 0 ? [] : [...(await this.#ends(partitions, ANY_TIME))];
    return new Map(first.filter(([, { offset }]) => offset === 0).map(([name, { timestamp }]) => [name, timestamp]));
  }

  async #ends(partitions: readonly TopicPartition[], time: number): Promise<Map<string, Pick<ListedOffset, 'offset' | 'timestamp'>>> {
    const byLeader = new Map<number, TopicPartition[]>();
    for (const { topic, partition } of partitions) {
      const leader = this.#catalog.leaderOf(topic, partition);
      if (leader === undefined) throw new BrokerRefusal(ERROR.LEADER_NOT_AVAILABLE, 'ListOffsets', topic);
      const led = byLeader.get(leader);
      if (led === undefined) byLeader.set(leader, [{ topic, partition }]);
      else led.push({ topic, partition });
    }
    const ends = new Map<string, Pick<ListedOffset, 'offset' | 'timestamp'>>();
    await Promise.all(
      [...byLeader].map(async ([leader, led]) => {
        const broker = await this.#connections.node(leader);
        for (const { topic, partition, error, ...rest } of await broker.send(listOffsets(led, time))) {
          if (error !== ERROR.NONE) throw new BrokerRefusal(error, 'ListOffsets', topic);
          ends.set(partitionName({ topic, partition }), rest);
        }
      }),
    );
    return ends;
  }

  /** Without the right to see a topic's settings nothing is known, and nothing is concluded. */
  async #learnRetention(topics: readonly string[]): Promise<void> {
    const unknown = topics.filter((topic) => !this.#kept.has(topic));
    if (unknown.length === 0) return;
    const broker = await this.#connections.any();
    for (const [topic, value] of await broker.send(topicSetting(unknown, RETENTION))) this.#kept.set(topic, Number(value));
  }
}
