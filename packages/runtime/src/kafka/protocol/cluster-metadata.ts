// The brokers and topics of a cluster. Unlike kafkajs's, one topic that is being deleted, or has no leader yet, spoils nothing of the others.
// https://kafka.apache.org/protocol#The_Messages_Metadata
import type { Broker, BrokerAddress, BrokerRequest } from './broker-connections.js';
import type { WireReader } from './wire.js';

const API_KEY = 3;
/** The first with ids of topics by which Kafka 3.1 and later can be asked. */
const WITH_IDS = 12;
const WITHOUT_IDS = 5;
/** What a broker says of a topic that has none: one whose cluster keeps to the protocol of an earlier release. It gets one with the upgrade, and stays the same topic. */
const NO_ID = '0'.repeat(32);

export interface TopicPartitions {
  readonly topic: string;
  /** Another when the topic was deleted and made anew; undefined when the broker does not tell. */
  readonly id: string | undefined;
  /** The leader's node id by partition; undefined while there is no leader. */
  readonly leaders: readonly (number | undefined)[];
  /** How often each partition has had another leader, by partition; undefined when the broker does not tell. https://cwiki.apache.org/confluence/display/KAFKA/KIP-320 */
  readonly leaderEpochs?: readonly number[] | undefined;
  /** Brokers that hold its first partition. */
  readonly replicas: number;
}

export interface ClusterMetadata {
  readonly brokers: readonly BrokerAddress[];
  /** By name; only those that can be described and whose name the filter takes. */
  readonly topics: ReadonlyMap<string, TopicPartitions>;
  /** Who makes topics, or, where any broker passes that on, any of them. */
  readonly controller: number;
}

/** All topics whose name the filter takes. */
export function readMetadata(broker: Broker, filter: (topic: string) => boolean): Promise<ClusterMetadata> {
  return broker.send(broker.takes(API_KEY, WITH_IDS) ? withIds(filter) : withoutIds(filter));
}

/** These topics. One that is not there, or cannot be described now, is left out. */
export function readTopics(broker: Broker, names: readonly string[]): Promise<ClusterMetadata> {
  return broker.send(withoutIds(() => true, names));
}

const withIds = (filter: (topic: string) => boolean): BrokerRequest<ClusterMetadata> => ({
  name: 'Metadata',
  apiKey: API_KEY,
  version: WITH_IDS,
  flexible: true,
  // Null for all topics, none made, no authorized operations.
  write: (to) => to.unsignedVarint(0).boolean(false).boolean(false).noTags(),
  read(from) {
    from.int32(); // throttle time
    const brokers = from.compactArray(() => {
      const broker = { nodeId: from.int32(), host: String(from.compactString()), port: from.int32(), rack: from.compactString() };
      from.skipTags();
      return broker;
    });
    from.compactString(); // cluster id
    const controller = from.int32();
    const topics = new Map<string, TopicPartitions>();
    from.compactArray(() => {
      const error = from.int16();
      const topic = from.compactString() ?? '';
      const id = from.uuid();
      from.boolean(); // internal
      const partitions = from.compactArray(() => {
        from.int16();
        const [partition, leader, leaderEpoch] = [from.int32(), from.int32(), from.int32()];
        const replicas = from.compactArray(() => from.int32()).length;
        for (let list = 0; list < 2; list += 1) from.compactArray(() => from.int32()); // in sync, offline
        from.skipTags();
        return { partition, leader, leaderEpoch, replicas };
      });
      from.int32(); // authorized operations
      from.skipTags();
      if (error !== 0 || !filter(topic)) return;
      const leaderEpochs: number[] = [];
      for (const { partition, leaderEpoch } of partitions) leaderEpochs[partition] = leaderEpoch;
      topics.set(topic, { topic, id: id === NO_ID ? undefined : id, ...shapeOf(partitions), leaderEpochs });
    });
    return { brokers, topics, controller };
  },
});

const withoutIds = (filter: (topic: string) => boolean, names?: readonly string[]): BrokerRequest<ClusterMetadata> => ({
  name: 'Metadata',
  apiKey: API_KEY,
  version: WITHOUT_IDS,
  // Null for all topics; none is made.
  write: (to) => (names === undefined ? to.int32(-1) : to.array(names, (name) => to.string(name))).boolean(false),
  read(from) {
    from.int32();
    const brokers = from.array(() => ({ nodeId: from.int32(), host: String(from.string()), port: from.int32(), rack: from.string() }));
    from.string();
    const controller = from.int32();
    const topics = new Map<string, TopicPartitions>();
    from.array(() => {
      const error = from.int16();
      const topic = from.string() ?? '';
      from.boolean();
      const partitions = from.array(() => partitionWithoutEpoch(from));
      if (error === 0 && filter(topic)) topics.set(topic, { topic, id: undefined, ...shapeOf(partitions) });
    });
    return { brokers, topics, controller };
  },
});

interface DescribedPartition {
  readonly partition: number;
  readonly leader: number;
  readonly replicas: number;
}

function partitionWithoutEpoch(from: WireReader): DescribedPartition {
  from.int16();
  const [partition, leader] = [from.int32(), from.int32()];
  const replicas = from.array(() => from.int32()).length;
  for (let list = 0; list < 2; list += 1) from.array(() => from.int32());
  return { partition, leader, replicas };
}

function shapeOf(partitions: readonly DescribedPartition[]): Pick<TopicPartitions, 'leaders' | 'replicas'> {
  const leaders: (number | undefined)[] = new Array(partitions.length).fill(undefined);
  for (const { partition, leader } of partitions) if (leader >= 0) leaders[partition] = leader;
  return { leaders, replicas: partitions[0]?.replicas ?? 0 };
}
