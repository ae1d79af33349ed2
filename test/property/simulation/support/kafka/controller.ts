// Who leads which partition, decided in one place, and known to each broker some time later. Groups and transactions have a partition each that says who coordinates.
import type { Random } from '../random.js';
import type { Process, VirtualTime } from '../virtual-time.js';
import { PartitionLog } from './partition-log.js';

export const GROUPS = '__consumer_offsets';
export const TRANSACTIONS = '__transaction_state';
const NOBODY = -1;

export interface Leadership {
  readonly leader: number;
  readonly epoch: number;
}

export interface SimulatedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly log: PartitionLog;
  now: Leadership;
  /** What each broker knows. */
  readonly known: Map<number, Leadership>;
}

export interface BrokerNode {
  readonly id: number;
  readonly process: Process;
  isUp: boolean;
}

export const nameOf = (topic: string, partition: number): string => `${topic}/${partition}`;

export class Controller {
  readonly nodes: readonly BrokerNode[];
  readonly partitions = new Map<string, SimulatedPartition>();
  readonly topics = new Map<string, { readonly id: string; readonly partitions: number; readonly knownTo: Set<number> }>();
  /** Told when the brokers' view has changed, or a log has grown. */
  readonly onChange: ((partition: SimulatedPartition, node: number | undefined) => void)[] = [];
  /** Told when another broker leads, or none. */
  onMoved: (partition: SimulatedPartition) => void = () => undefined;
  readonly #time: VirtualTime;
  readonly #random: Random;

  constructor(time: VirtualTime, random: Random) {
    this.#time = time;
    this.#random = random;
    this.nodes = [1, 2, 3].map((id) => ({
      id,
      isUp: true,
      process: { name: `broker ${id}`, isModel: true, isDead: false, isFrozen: false },
    }));
    for (const topic of [GROUPS, TRANSACTIONS]) this.create(topic, 1);
  }

  create(topic: string, partitions: number): void {
    if (this.topics.has(topic)) return;
    const id = (this.topics.size + 1).toString(16).padStart(32, '0');
    const knownTo = new Set<number>();
    this.topics.set(topic, { id, partitions, knownTo });
    for (const { id: node } of this.nodes) this.#time.after(this.#random.delay(), undefined, () => knownTo.add(node));
    for (let partition = 0; partition < partitions; partition += 1) {
      const leader = this.#random.pick(this.#up()).id;
      const now = { leader, epoch: 0 };
      const made = { topic, partition, log: new PartitionLog(), now, known: new Map(this.nodes.map((node) => [node.id, now])) };
      this.partitions.set(nameOf(topic, partition), made);
    }
  }

  get(topic: string, partition = 0): SimulatedPartition | undefined {
    return this.partitions.get(nameOf(topic, partition));
  }

  leads(node: number, topic: string): boolean {
    return this.get(topic)?.now.leader === node;
  }

  /** What was appended is shown when enough brokers have it. */
  appended(partition: SimulatedPartition): void {
    const { end } = partition.log;
    this.#time.after(this.#random.delay(), undefined, () => {
      partition.log.highWatermark = Math.max(partition.log.highWatermark, end);
      this.#tell(partition, undefined);
    });
  }

  /** To another broker that is up, or to nobody. */
  move(partition: SimulatedPartition, to: number): void {
    const before = partition.now;
    if (before.leader === to) return;
    partition.now = { leader: to, epoch: before.epoch + 1 };
    const { log } = partition;
    if (before.leader !== NOBODY) log.limit(before.leader, log.highWatermark);
    if (to !== NOBODY) {
      // A new leader learns only in a moment how far the others are.
      log.limit(to, this.#random.pick([log.highWatermark, ...log.batches.slice(-4).map(({ base }) => Math.min(base, log.highWatermark))]));
      this.#time.after(this.#random.delay() * 2, undefined, () => {
        if (partition.now.leader === to) log.catchUp(to);
        this.#tell(partition, to);
      });
    }
    for (const { id } of this.nodes) this.#learn(partition, id, partition.now);
    this.onMoved(partition);
  }

  #learn(partition: SimulatedPartition, id: number, now: Leadership): void {
    this.#time.after(this.#random.delay(), this.nodes[id - 1]?.process, () => {
      if ((partition.known.get(id)?.epoch ?? -1) >= now.epoch) return;
      partition.known.set(id, now);
      this.#tell(partition, id);
    });
  }

  /** The partitions of a broker that is gone get another leader. */
  down(node: BrokerNode): void {
    node.isUp = false;
    this.#time.after(this.#random.between(20, 400), undefined, () => {
      if (node.isUp) return;
      for (const partition of this.partitions.values()) if (partition.now.leader === node.id) this.elect(partition);
    });
  }

  up(node: BrokerNode): void {
    node.isUp = true;
    for (const partition of this.partitions.values()) {
      partition.known.set(node.id, partition.now);
      if (partition.now.leader === NOBODY) this.elect(partition);
    }
    for (const { knownTo } of this.topics.values()) knownTo.add(node.id);
  }

  elect(partition: SimulatedPartition): void {
    const others = this.#up().filter(({ id }) => id !== partition.now.leader);
    this.move(partition, others.length === 0 ? NOBODY : this.#random.pick(others).id);
  }

  #up(): BrokerNode[] {
    return this.nodes.filter(({ isUp }) => isUp);
  }

  #tell(partition: SimulatedPartition, node: number | undefined): void {
    for (const told of this.onChange) told(partition, node);
  }
}
