// A Kafka of several brokers: what is done to the whole is done to every broker; `nodes` gives single ones.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import { DevstackError } from '../errors.js';
import { stopAll } from '../start-all.js';
import type { Server } from '../supervision/server.js';
import type { Supervisor } from '../supervision/supervisor.js';
import { logTail } from '../support/log-tail.js';
import { waitFor } from '../support/wait-for.js';
import { createTopic, type TopicOptions, withAdmin } from './admin.js';
import type { KafkaBroker } from './broker.js';
import type { BrokerProxy } from './options.js';

/** Ceiling of the wait for replicas to be in sync; a slow machine does not reach it. */
const IN_SYNC_TIMEOUT_MS = 120_000;
const POLL_MS = 200;
/** A client that gets no answer for so long, in milliseconds, is left to itself, and another one asks. */
const ANSWER_MS = 20_000;
/** Of each broker's log, where they do not come together. */
const LOG_LINES = 15;

/** A broker and, with `proxy`, what stands between it and clients. */
export interface ClusterNode<P extends BrokerProxy> {
  readonly broker: KafkaBroker;
  readonly proxy: P | undefined;
}

export interface PartitionState {
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export class KafkaCluster<P extends BrokerProxy = BrokerProxy> implements Server {
  readonly name = 'kafka';
  readonly nodes: readonly KafkaBroker[];
  /** Of every node, in its order; empty without `proxy`. */
  readonly proxies: readonly P[];
  readonly #supervisor: Supervisor;

  constructor(nodes: readonly ClusterNode<P>[], supervisor: Supervisor) {
    this.nodes = nodes.map(({ broker }) => broker);
    this.proxies = nodes.flatMap(({ proxy }) => proxy ?? []);
    this.#supervisor = supervisor;
  }

  /** `127.0.0.1:<port>` of every broker, or of its proxy. */
  get brokers(): string[] {
    return this.nodes.map(({ port }, index) => `127.0.0.1:${this.proxies[index]?.port ?? port}`);
  }

  get port(): number {
    return this.#first.port;
  }

  get pid(): number | undefined {
    return this.#first.pid;
  }

  get logFile(): string {
    return this.#first.logFile;
  }

  /** @throws {TypeError} if there is none of this id */
  node(nodeId: number): KafkaBroker {
    const node = this.nodes.find((candidate) => candidate.nodeId === nodeId);
    if (node === undefined) throw new TypeError(`There is no broker ${nodeId}`);
    return node;
  }

  /** Creates a topic with three replicas, or one a broker, and returns when every partition has a leader. One that exists is left as it is. */
  async createTopic(topic: string, options: TopicOptions = {}): Promise<void> {
    await this.withAdmin((admin) => createTopic(admin, topic, options, Math.min(3, this.nodes.length)));
  }

  /** Runs something with an admin client that retries nothing, over a broker that is up, past the proxies; and disconnects it. */
  async withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const addresses = this.nodes.filter(({ pid }) => pid !== undefined).map(({ address }) => address);
    return withAdmin(addresses, work);
  }

  /** How many members a consumer group has, as the broker counts them that coordinates it. */
  async members(group: string): Promise<number> {
    return this.withAdmin(async (admin) => {
      // kafkajs looks for a coordinator among the brokers that it has heard of; this tells it of all.
      await admin.listGroups();
      const { groups } = await admin.describeGroups([group]);
      return groups[0]?.members.length ?? 0;
    });
  }

  async partition(topic: string, partition: number): Promise<PartitionState> {
    return waitFor(
      () =>
        this.withAdmin(async (admin) => {
          const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
          const state = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
          return state && { leader: state.leader, replicas: state.replicas, inSync: state.isr };
        }),
      { describe: `the state of ${topic}-${partition}`, intervalMs: POLL_MS },
    ) as Promise<PartitionState>;
  }

  /**
   * Gives a partition to another leader, and returns its id when it leads and all replicas are in sync: the partition is
   * reassigned to replicas without the present leader, which then is added again.
   */
  async moveLeader(topic: string, partition: number): Promise<number> {
    const { leader, replicas } = await this.partition(topic, partition);
    const ids = this.nodes.map(({ nodeId }) => nodeId);
    const after = [...ids, ...ids].slice(ids.indexOf(leader) + 1);
    const next = after.find((id) => id !== leader) ?? leader;
    const rest = replicas.filter((id) => id !== leader && id !== next);
    await this.reassign(topic, partition, [next, ...rest]);
    if (replicas.length > 1) await this.reassign(topic, partition, [next, ...rest, leader].slice(0, replicas.length));
    return (await this.partition(topic, partition)).leader;
  }

  /** Has a broker that keeps a replica of a partition lead it; returns when it does. */
  async lead(topic: string, partition: number, nodeId: number): Promise<void> {
    const { leader, replicas } = await this.partition(topic, partition);
    if (leader === nodeId) return;
    await this.reassign(topic, partition, [nodeId]);
    await this.reassign(topic, partition, [nodeId, ...replicas.filter((id) => id !== nodeId)]);
  }

  /** Has these brokers, and no others, keep a partition; returns when they do, in sync, under a leader of theirs. */
  async reassign(topic: string, partition: number, replicas: readonly number[]): Promise<void> {
    const partitionAssignment = [{ partition, replicas: [...replicas] }];
    await waitFor(
      async () => {
        await this.withAdmin((admin) => admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment }] }));
        return true;
      },
      { describe: `${topic}-${partition} to be assigned to ${replicas.join()}`, timeoutMs: IN_SYNC_TIMEOUT_MS, intervalMs: POLL_MS },
    );
    const wanted = (ids: readonly number[]) => ids.length === replicas.length && ids.every((id) => replicas.includes(id));
    await waitFor(() => this.partition(topic, partition), {
      describe: `${topic}-${partition} to be kept by ${replicas.join()}`,
      until: (state) => wanted(state.replicas) && wanted(state.inSync) && replicas.includes(state.leader),
      timeoutMs: IN_SYNC_TIMEOUT_MS,
      intervalMs: POLL_MS,
    });
  }

  /** Restarts one broker after the other, as an operator would: the next only when all replicas are in sync again. */
  async roll(): Promise<void> {
    for (const node of this.nodes) await this.rollOne(node);
  }

  async rollOne(node: KafkaBroker): Promise<void> {
    await node.restart();
    await this.untilInSync();
  }

  /**
   * Waits until every broker is in the cluster and every partition of every topic has a leader and all its replicas in sync.
   *
   * @throws {DevstackError} with the ends of the brokers' logs, when that does not come
   */
  async untilInSync(): Promise<void> {
    try {
      await waitFor(() => Promise.race([this.withAdmin((admin) => this.#missing(admin)), noAnswer()]), {
        describe: (missing) => `all brokers and replicas, without ${missing ?? 'an answer'}`,
        until: (missing) => missing === '',
        timeoutMs: IN_SYNC_TIMEOUT_MS,
        intervalMs: POLL_MS,
      });
    } catch (error) {
      const logs = this.nodes.map(
        async ({ name, pid, logFile }) => `${name} ${pid === undefined ? 'is down' : 'runs'}:\n${await logTail(logFile, LOG_LINES)}`,
      );
      throw new DevstackError(`${(error as Error).message}. ${(await Promise.all(logs)).join('\n')}`, { cause: error });
    }
  }

  async start(): Promise<void> {
    await this.#each((node) => (node.pid === undefined ? node.start() : Promise.resolve()));
    await this.untilInSync();
  }

  async shutdown(): Promise<void> {
    await this.#each((node) => node.shutdown());
  }

  async restart(): Promise<void> {
    await this.shutdown();
    await this.start();
  }

  async kill9(): Promise<void> {
    await this.#each((node) => node.kill9());
  }

  async pause(): Promise<void> {
    await this.#each((node) => node.pause());
  }

  async resume(): Promise<void> {
    await this.#each((node) => node.resume());
  }

  async stop(): Promise<void> {
    await stopAll(this.proxies);
    await this.#supervisor.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #first(): KafkaBroker {
    return this.nodes[0] as KafkaBroker;
  }

  async #each(work: (node: KafkaBroker) => Promise<void>): Promise<void> {
    await Promise.all(this.nodes.map(work));
  }

  async #missing(admin: Admin): Promise<string> {
    const { brokers } = await admin.describeCluster();
    const { topics } = await admin.fetchTopicMetadata();
    const partitions = topics.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ leader, isr, replicas }) => leader < 0 || isr.length < replicas.length)
        .map(({ partitionId }) => `${name}-${partitionId}`),
    );
    const nodes = this.nodes.filter(({ nodeId }) => !brokers.some((broker) => broker.nodeId === nodeId));
    return [...nodes.map(({ name }) => name), ...partitions.slice(0, 5)].join(', ');
  }
}

async function noAnswer(): Promise<never> {
  await sleep(ANSWER_MS, undefined, { ref: false });
  throw new DevstackError(`no broker answered within ${ANSWER_MS / 1000} s`);
}
