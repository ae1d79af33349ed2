// Offsets of any number of partitions, by one request to each broker: kafkajs's own admin client asks topic by topic, and for the
// metadata of all topics before it with each of them.
import kafkajs, { type Admin, type BrokerMetadata, type Cluster } from 'kafkajs';
import { sleep } from '../async/sleep.js';
import { clusterOf } from './cluster-of.js';
import { BrokerRefusal, ERROR } from './protocol/error-codes.js';

/** How long a partition's leader, or a group's coordinator, is looked for. */
const PATIENCE_MS = 30_000;
const RETRY_MS = 100;
/** So long, in milliseconds, a leader that may only be moving is waited for where one can do without. */
const MOVING_MS = 3_000;
/** Up to the first transaction that is still open, as a consumer reads. */
const READ_COMMITTED = 1;
const LATEST = -1;
const EARLIEST = -2;

interface Place {
  readonly topic: string;
  readonly partition: number;
}

/** The offsets between which a partition has records. */
export interface PartitionEnds extends Place {
  readonly low: number;
  readonly high: number;
}

/** What a group has committed of a partition. */
export interface CommittedOffset extends Place {
  /** Undefined when it has committed nothing. */
  readonly offset: number | undefined;
  readonly metadata: string | null;
}

interface LedPartition extends Place {
  readonly leader: number;
}

/** What is used of kafkajs's brokers; its types leave most of it out. */
interface AnsweringBroker {
  listOffsets(request: { readonly isolationLevel: number; readonly topics: readonly PartitionsOf<Asked>[] }): Promise<{
    readonly responses: readonly PartitionsOf<{ readonly partition: number; readonly offset: string }>[];
  }>;
  offsetFetch(request: { readonly groupId: string; readonly topics: readonly PartitionsOf<{ readonly partition: number }>[] }): Promise<{
    readonly responses: readonly PartitionsOf<{ readonly partition: number; readonly offset: string; readonly metadata: string | null }>[];
  }>;
}
interface Asked {
  readonly partition: number;
  readonly timestamp: number;
}
interface PartitionsOf<T> {
  readonly topic: string;
  readonly partitions: readonly T[];
}

/**
 * The ends of all partitions of these topics, of those that exist.
 *
 * @throws what kafkajs throws, when nothing else comes for half a minute
 */
export function partitionEnds(admin: Admin, topics: Iterable<string>): Promise<PartitionEnds[]> {
  const wanted = new Set(topics);
  return patiently(admin, async (cluster) => {
    return endsOf(cluster, assertLed(await partitionsOf(cluster, wanted)));
  });
}

/** What is known of topics that have partitions without a leader. */
export interface KnownEnds {
  readonly ends: readonly PartitionEnds[];
  /** How much is in these is not known. */
  readonly leaderless: readonly Place[];
}

/**
 * As {@link partitionEnds}, of the partitions that have a leader.
 *
 * @throws what kafkajs throws, when nothing else comes for half a minute
 */
export function knownEnds(admin: Admin, topics: Iterable<string>): Promise<KnownEnds> {
  const wanted = new Set(topics);
  const until = performance.now() + MOVING_MS;
  return patiently(admin, async (cluster) => {
    const all = await partitionsOf(cluster, wanted);
    if (performance.now() < until) assertLed(all);
    const leaderless = all.filter(({ leader }) => leader < 0).map(({ topic, partition }) => ({ topic, partition }));
    const ends = await endsOf(
      cluster,
      all.filter(({ leader }) => leader >= 0),
    );
    return { ends, leaderless };
  });
}

/**
 * The offset of the first record at or after a time, of each partition by `<topic>/<partition>`; none where there is no such record.
 *
 * @param timeMs - milliseconds since the epoch
 */
export function offsetsAt(admin: Admin, topics: Iterable<string>, timeMs: number): Promise<ReadonlyMap<string, number>> {
  const wanted = new Set(topics);
  return patiently(admin, async (cluster) => {
    const found = await listOffsets(cluster, assertLed(await partitionsOf(cluster, wanted)), timeMs);
    return new Map([...found].filter(([, offset]) => offset >= 0));
  });
}

/** What the group has committed of these partitions. */
export function committedOffsets(admin: Admin, groupId: string, partitions: readonly Place[]): Promise<CommittedOffset[]> {
  if (partitions.length === 0) return Promise.resolve([]);
  return patiently(admin, async (cluster) => {
    const coordinator = (await cluster.findGroupCoordinator({ groupId })) as unknown as AnsweringBroker;
    const topics = byTopic(partitions, ({ partition }) => ({ partition }));
    const { responses } = await coordinator.offsetFetch({ groupId, topics });
    return responses.flatMap(({ topic, partitions: each }) =>
      each.map(({ partition, offset, metadata }) => ({
        topic,
        partition,
        offset: Number(offset) < 0 ? undefined : Number(offset),
        metadata: metadata ?? null,
      })),
    );
  });
}

const nameOf = ({ topic, partition }: Place): string => `${topic}/${partition}`;

async function partitionsOf(cluster: Cluster, topics: ReadonlySet<string>): Promise<LedPartition[]> {
  if (topics.size === 0) return [];
  // Of all topics: asked for one that does not exist, kafkajs throws.
  const answer: BrokerMetadata | null = await cluster.metadata();
  if (answer === null) throw new kafkajs.KafkaJSConnectionError('No broker tells which topics there are');
  return answer.topicMetadata
    .filter(({ topic }) => topics.has(topic))
    .flatMap(({ topic, partitionMetadata }) =>
      partitionMetadata.map(({ partitionId, leader }) => ({ topic, partition: partitionId, leader })),
    )
    .sort((a, b) => (a.topic === b.topic ? a.partition - b.partition : a.topic < b.topic ? -1 : 1));
}

function assertLed(partitions: readonly LedPartition[]): readonly LedPartition[] {
  const orphan = partitions.find(({ leader }) => leader < 0);
  if (orphan !== undefined)
    throw Object.assign(new BrokerRefusal(ERROR.LEADER_NOT_AVAILABLE, 'Metadata', orphan.topic), { retriable: true });
  return partitions;
}

async function endsOf(cluster: Cluster, partitions: readonly LedPartition[]): Promise<PartitionEnds[]> {
  const [low, high] = await Promise.all([listOffsets(cluster, partitions, EARLIEST), listOffsets(cluster, partitions, LATEST)]);
  return partitions.map(({ topic, partition }) => {
    const name = nameOf({ topic, partition });
    return { topic, partition, low: low.get(name) ?? 0, high: high.get(name) ?? 0 };
  });
}

/** By `<topic>/<partition>`. */
async function listOffsets(cluster: Cluster, partitions: readonly LedPartition[], timestamp: number): Promise<Map<string, number>> {
  const leaders = new Set(partitions.map(({ leader }) => leader));
  const asked = [...leaders].map(async (leader) => {
    const broker = (await cluster.findBroker({ nodeId: String(leader) })) as unknown as AnsweringBroker;
    const led = partitions.filter((each) => each.leader === leader);
    const topics = byTopic(led, ({ partition }) => ({ partition, timestamp }));
    return (await broker.listOffsets({ isolationLevel: READ_COMMITTED, topics })).responses;
  });
  const offsets = new Map<string, number>();
  for (const { topic, partitions: each } of (await Promise.all(asked)).flat()) {
    for (const { partition, offset } of each) offsets.set(nameOf({ topic, partition }), Number(offset));
  }
  return offsets;
}

function byTopic<T>(partitions: readonly Place[], asked: (place: Place) => T): PartitionsOf<T>[] {
  const topics = new Map<string, T[]>();
  for (const place of partitions) {
    const ofTopic = topics.get(place.topic) ?? [];
    topics.set(place.topic, ofTopic);
    ofTopic.push(asked(place));
  }
  return [...topics].map(([topic, each]) => ({ topic, partitions: each }));
}

/** A leader that has just changed, a topic that was deleted between two requests, a connection that was lost: asked again. */
async function patiently<T>(admin: Admin, ask: (cluster: Cluster) => Promise<T>): Promise<T> {
  const cluster = clusterOf(admin);
  const until = performance.now() + PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (attempt > 1) await cluster.refreshMetadata();
      return await ask(cluster);
    } catch (error) {
      if ((error as { readonly retriable?: unknown }).retriable !== true || performance.now() > until) throw error;
      await sleep(RETRY_MS);
    }
  }
}
