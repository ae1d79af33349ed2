// What goes on beside consumers that have a backlog: somebody writes, and somebody looks at what they commit.
import type { FaultProxy, KafkaCluster } from '@tailwater/devstack';
import { type Namespace, topicName } from '@tailwater/schema';
import { KafkaTransactionSender } from '#producer/publish/kafka-transaction-sender.js';
import type { World } from '../../integration/consumer/support/world.js';
import type { SlowTarget } from './slow-target.js';

type ClusterWorld = World<KafkaCluster<FaultProxy>>;

export const documents = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ document: { _id: from + index } }));

/** Writes the same documents again and again, until the signal aborts. @returns how many */
export async function writeOn(
  world: ClusterWorld,
  { prefix, namespace, keys }: { readonly prefix: string; readonly namespace: Namespace; readonly keys: number },
  signal: AbortSignal,
): Promise<number> {
  const topic = topicName(prefix, namespace);
  let written = 0;
  while (!signal.aborted) {
    const sender = await KafkaTransactionSender.connect(world.client, `${prefix}-writer`);
    try {
      for (; !signal.aborted; written += 50) {
        const messages = world.messages(prefix, namespace, documents(written % keys, 50)) as {
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
      const [group] = await world.kafka.withAdmin(async (admin) => {
        // kafkajs looks for a coordinator among the brokers that it has heard of; this tells it of all.
        await admin.listGroups();
        return admin.fetchOffsets({ groupId: `${prefix}.test`, topics: [topic] });
      });
      const commits = new Map(group?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
      samples.push({ commits, applied: targets.map((target) => target.atThisMoment()) });
    } catch {
      // A broker that restarts.
    }
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
  return samples;
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
