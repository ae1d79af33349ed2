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
import { type GroupPartitionOffsets, partitionName, type TopicPartition } from './subscription.js';
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

  /** Without those that have no leader, or of which it does not tell at the moment. Rejects when a broker does not answer: the caller tries again. */
  async read(partitions: readonly TopicPartition[]): Promise<GroupPartitionOffsets[]> {
    if (partitions.length === 0) return [];
    const topics = [...new Set(partitions.map(({ topic }) => topic))];
    const [committed, low, high] = await Promise.all([
      this.committed(partitions),
      this.ends(partitions, EARLIEST),
      this.ends(partitions, LATEST),
    ]);
    const isNew = (each: TopicPartition) => !isCommitted(committed.get(partitionName(each)));
    const [first] = await Promise.all([this.ends(partitions.filter(isNew), ANY_TIME), this.#learnRetention(topics)]);
    return partitions.flatMap(({ topic, partition }) => {
      const name = partitionName({ topic, partition });
      const commit = committed.get(name);
      const [begins, ends, oldest] = [low.get(name), high.get(name), first.get(name)];
      if (begins === undefined || ends === undefined || (oldest === undefined && !isCommitted(commit))) return [];
      return {
        topic,
        partition,
        topicId: this.#catalog.topics.get(topic)?.id,
        committed: isCommitted(commit) ? commit.offset : undefined,
        metadata: commit?.metadata ?? null,
        low: begins.offset,
        end: ends.offset,
        // Only while its very first record is there.
        bornAtMs: oldest?.offset === 0 ? oldest.timestamp : undefined,
        tombstonesKeptMs: this.#kept.get(topic) ?? Number.POSITIVE_INFINITY,
      };
    });
  }

  /** Records that the group has not committed, by partition. Rejects when that of one of them is not known. */
  async lags(partitions: readonly TopicPartition[]): Promise<(TopicPartition & { readonly lag: number })[]> {
    if (partitions.length === 0) return [];
    const [committed, low, high] = await Promise.all([
      this.committed(partitions),
      this.ends(partitions, EARLIEST),
      this.ends(partitions, LATEST),
    ]);
    return partitions.map(({ topic, partition }) => {
      const name = partitionName({ topic, partition });
      const [begins, ends] = [low.get(name), high.get(name)];
      if (begins === undefined || ends === undefined) throw new BrokerRefusal(ERROR.LEADER_NOT_AVAILABLE, 'ListOffsets', topic);
      return { topic, partition, lag: Math.max(0, ends.offset - Math.max(begins.offset, committed.get(name)?.offset ?? 0)) };
    });
  }

  async committed(partitions: readonly TopicPartition[]): Promise<Map<string, Commit>> {
    const any = await this.#connections.any();
    const address = await any.send(findCoordinator(this.#groupId));
    this.#connections.know(address);
    const coordinator = await this.#connections.node(address.nodeId);
    const offsets = await coordinator.send(fetchOffsets(this.#groupId, partitions));
    return new Map(offsets.map(({ topic, partition, offset, metadata }) => [partitionName({ topic, partition }), { offset, metadata }]));
  }

  /** Of those of which a leader tells: one partition that is being moved, or that lies on a disk that broke, keeps no other of the same broker waiting. */
  async ends(partitions: readonly TopicPartition[], time: number): Promise<Map<string, Pick<ListedOffset, 'offset' | 'timestamp'>>> {
    const byLeader = new Map<number, TopicPartition[]>();
    for (const { topic, partition } of partitions) {
      const leader = this.#catalog.leaderOf(topic, partition);
      if (leader === undefined) continue;
      const led = byLeader.get(leader);
      if (led === undefined) byLeader.set(leader, [{ topic, partition }]);
      else led.push({ topic, partition });
    }
    const ends = new Map<string, Pick<ListedOffset, 'offset' | 'timestamp'>>();
    await Promise.all(
      [...byLeader].map(async ([leader, led]) => {
        const broker = await this.#connections.node(leader);
        for (const { topic, partition, error, ...rest } of await broker.send(listOffsets(led, time))) {
          if (error === ERROR.NONE) ends.set(partitionName({ topic, partition }), rest);
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
