// What members tell each other through the group's coordinator, as Kafka's own consumers write it, so that its tools can read it:
// https://kafka.apache.org/protocol#consumer_protocol (ConsumerProtocolSubscription version 2, ConsumerProtocolAssignment version 0).
import { WireReader, WireWriter } from '@tailwater/runtime';
import type { AssignedMember } from './assigned-member.js';
import type { TopicPartition } from './subscription.js';
import type { TargetMark } from './target-mark.js';

const SUBSCRIPTION_VERSION = 2;
const ASSIGNMENT_VERSION = 0;

export function encodeSubscription(
  topics: readonly string[],
  owned: readonly TopicPartition[],
  generation: number,
  target?: TargetMark,
): Buffer {
  const to = new WireWriter();
  to.int16(SUBSCRIPTION_VERSION)
    .array(topics, (topic) => to.string(topic))
    .blob(target === undefined ? null : userData({ target }));
  writePartitions(to, owned);
  return to.int32(generation).bytes;
}

/** What cannot be read counts as a member that subscribes to nothing. */
export function decodeSubscription(memberId: string, metadata: Buffer): AssignedMember {
  try {
    const from = new WireReader(metadata);
    const version = from.int16();
    const topics = new Set(from.array(() => from.string() ?? ''));
    const { target } = readUserData(from.blob());
    const owned = version >= 1 ? readPartitions(from) : [];
    const generation = version >= 2 ? from.int32() : -1;
    return { memberId, topics, owned, generation, ...(Array.isArray(target) ? { target: target.map(String) } : {}) };
  } catch {
    return { memberId, topics: new Set(), owned: [], generation: -1 };
  }
}

/** @param isStranger - it applies to another target than the group, and gets nothing */
export function encodeAssignment(partitions: readonly TopicPartition[], isStranger = false): Buffer {
  const to = new WireWriter();
  to.int16(ASSIGNMENT_VERSION);
  writePartitions(to, partitions);
  return to.blob(isStranger ? userData({ stranger: true }) : null).bytes;
}

export interface Given {
  readonly partitions: readonly TopicPartition[];
  readonly isStranger: boolean;
}

/** An empty one is that of a member that gets nothing. */
export function decodeAssignment(assignment: Buffer): Given {
  if (assignment.length === 0) return { partitions: [], isStranger: false };
  const from = new WireReader(assignment);
  from.int16();
  return { partitions: readPartitions(from), isStranger: readUserData(from.blob())['stranger'] === true };
}

const userData = (data: object): Buffer => Buffer.from(JSON.stringify(data));

/** What members say beside what Kafka asks of them. */
function readUserData(data: Buffer | null): Readonly<Record<string, unknown>> {
  try {
    const said: unknown = JSON.parse(data?.toString('utf8') ?? '{}');
    return typeof said === 'object' && said !== null ? { ...said } : {};
  } catch {
    return {};
  }
}

function writePartitions(to: WireWriter, partitions: readonly TopicPartition[]): void {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const numbers = topics.get(topic);
    if (numbers === undefined) topics.set(topic, [partition]);
    else numbers.push(partition);
  }
  to.array([...topics], ([topic, numbers]) => to.string(topic).array(numbers, (number) => to.int32(number)));
}

function readPartitions(from: WireReader): TopicPartition[] {
  return from
    .array(() => {
      const topic = from.string() ?? '';
      return from.array(() => ({ topic, partition: from.int32() }));
    })
    .flat();
}
