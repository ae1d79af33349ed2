// What goes on beside consumers that have a backlog: somebody writes, and somebody looks at what they commit.
import type { FaultProxy, KafkaCluster } from '@tailwater/devstack';
import { type Namespace, topicName } from '@tailwater/schema';
import { KafkaTransactionSender } from '#producer/publish/kafka-transaction-sender.js';
import type { TopicRecord } from '#test/support/read-topic.js';
import type { World } from '../../integration/consumer/support/world.js';
import type { SlowTarget } from './slow-target.js';

type ClusterWorld = World<KafkaCluster<FaultProxy>>;

export const documents = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ document: { _id: from + index } }));

/** So many documents are in one transaction, of which the next one writes the later half once more. */
const AT_A_TIME = 50;

/** Writes new documents, each twice within a moment, from this one on until the signal aborts. @returns how often it wrote one */
export async function writeOn(
  world: ClusterWorld,
  { prefix, namespace, from }: { readonly prefix: string; readonly namespace: Namespace; readonly from: number },
  signal: AbortSignal,
): Promise<number> {
  const topic = topicName(prefix, namespace);
  let written = 0;
  while (!signal.aborted) {
    const sender = await KafkaTransactionSender.connect(world.client, `${prefix}-writer`);
    try {
      for (; !signal.aborted; written += AT_A_TIME) {
        const messages = world.messages(prefix, namespace, documents(from + written / 2, AT_A_TIME)) as {
          key: Buffer;
          value: Buffer;
          partition: number;
        }[];
        await sender.send([{ topic, messages }]);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    } catch {
      // What a broker that goes does to a transaction ends a producer’s session, too.
    } finally {
      await sender.close();
    }
  }
  return written;
}

export interface CommitSample {
  readonly commits: ReadonlyMap<number, number>;
  /** What was applied a moment after the commits were read. */
  readonly applied: readonly SlowTarget[];
  /** Where the partitions ended by then. */
  readonly ends: ReadonlyMap<number, number>;
}

/** What the group has committed, as a broker says, time and again, beside what the targets had been given by then. */
export async function watchCommits(
  world: ClusterWorld,
  { prefix, topic, targets }: { readonly prefix: string; readonly topic: string; readonly targets: readonly SlowTarget[] },
  signal: AbortSignal,
): Promise<CommitSample[]> {
  const samples: CommitSample[] = [];
  while (!signal.aborted) {
    try {
      const sample = await world.kafka.withAdmin(async (admin) => {
        // kafkajs looks for a coordinator among the brokers that it has heard of; this tells it of all.
        await admin.listGroups();
        const [group] = await admin.fetchOffsets({ groupId: `${prefix}.test`, topics: [topic] });
        const commits = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
        const applied = targets.map((target) => target.atThisMoment());
        const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]));
        return { commits, applied, ends };
      });
      samples.push(sample);
    } catch {
      // A broker that restarts.
    }
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
  return samples;
}

/**
 * Where the group would have lost something, had all processes been killed at one of these moments: of each key the last record below the commit was applied, or there was a later one already, by which it
 * was superseded, and which is read from the commit on.
 *
 * @returns the places of those of which neither is so, and of how many that was asked
 */
export function lostByCommits(
  topic: string,
  records: readonly TopicRecord[],
  samples: readonly CommitSample[],
): { lost: string[]; judged: number } {
  const byKey = new Map<string, TopicRecord[]>();
  for (const record of records) {
    const name = `${record.partition}/${record.key}`;
    const ofKey = byKey.get(name);
    if (ofKey === undefined) byKey.set(name, [record]);
    else ofKey.push(record);
  }
  const lost = new Set<string>();
  let judged = 0;
  for (const { commits, applied, ends } of samples) {
    for (const ofKey of byKey.values()) {
      const partition = ofKey[0]?.partition as number;
      const [commit, end] = [commits.get(partition) ?? 0, ends.get(partition) ?? 0];
      const last = ofKey.findLast(({ offset }) => Number(offset) < commit);
      const isWrittenAgain = ofKey.some(({ offset }) => Number(offset) >= commit && Number(offset) < end);
      if (last === undefined || isWrittenAgain) continue;
      judged += 1;
      if (!applied.some((target) => target.has(topic, last))) lost.add(`${topic}/${partition}/${last.offset}`);
    }
  }
  return { lost: [...lost], judged };
}

/** How many members the broker counts, time and again until the signal aborts, beside the number of processes. */
export async function watchMembers(
  world: ClusterWorld,
  prefix: string,
  processes: () => number,
  signal: AbortSignal,
): Promise<{ most: number; tooMany: string[] }> {
  const tooMany: string[] = [];
  let most = 0;
  while (!signal.aborted) {
    try {
      const members = await world.kafka.members(`${prefix}.test`);
      most = Math.max(most, members);
      if (members > processes()) tooMany.push(`${members} members of ${processes()} processes`);
    } catch {
      // A broker that restarts, or does not coordinate any more.
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { most, tooMany };
}
