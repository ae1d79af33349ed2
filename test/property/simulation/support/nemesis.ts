// What goes wrong: a schedule has some of these faults, each lasts for a while, and all are over in the end.
import type { ConsumerProcess } from './consumer-process.js';
import type { Connection } from './kafka/connection.js';
import { type BrokerNode, GROUPS } from './kafka/controller.js';
import type { World } from './world.js';

/** A controller takes a broker that says nothing for so long for one that is gone. */
const GIVEN_UP_MS = 700;

type Fault = (nemesis: Nemesis) => void;

const FAULTS = {
  freezeConsumer: (nemesis) => nemesis.freezeConsumer(),
  killConsumer: (nemesis) => nemesis.killConsumer(),
  expelConsumer: (nemesis) => nemesis.expelConsumer(),
  killBroker: (nemesis) => nemesis.killBroker(),
  freezeBroker: (nemesis) => nemesis.freezeBroker(),
  moveLeader: (nemesis) => nemesis.moveLeader(),
  moveCoordinator: (nemesis) => nemesis.moveCoordinator(),
  reset: (nemesis) => nemesis.connection((connection) => connection.reset()),
  silence: (nemesis) =>
    nemesis.connection((connection) => {
      connection.isSilent = true;
    }),
  slow: (nemesis) =>
    nemesis.connection((connection) => {
      connection.slowness = nemesis.slowness;
    }),
  trouble: (nemesis) => nemesis.trouble(),
} satisfies Record<string, Fault>;

export class Nemesis {
  readonly #world: World;
  readonly #consumers: () => readonly ConsumerProcess[];
  /** Of this schedule. */
  readonly faults: readonly (keyof typeof FAULTS)[];
  #isOver = false;

  constructor(world: World, consumers: () => readonly ConsumerProcess[]) {
    this.#world = world;
    this.#consumers = consumers;
    // Few faults that come often find other things than many that come now and then.
    const share = world.random.pick([0.15, 0.2, 0.3, 0.8]);
    this.faults = (Object.keys(FAULTS) as (keyof typeof FAULTS)[]).filter(() => world.random.chance(share));
  }

  get slowness(): number {
    return this.#world.random.pick([6, 60, 200]);
  }

  /** Something goes wrong now. */
  strike(): void {
    if (this.faults.length > 0) FAULTS[this.#world.random.pick(this.faults)](this);
  }

  /** Nothing is wrong any more. */
  heal(): void {
    const { controller, target, network } = this.#world;
    this.#isOver = true;
    target.trouble = 0;
    for (const node of controller.nodes) this.#well(node);
    for (const { process } of this.#consumers()) if (process.isFrozen) this.#world.time.thaw(process);
    for (const connection of network.open) connection.slowness = 1;
  }

  freezeConsumer(): void {
    const running = this.#consumers().filter(({ process }) => !process.isFrozen);
    if (running.length === 0) return;
    const { process } = this.#world.random.pick(running);
    process.isFrozen = true;
    this.#later(this.#world.random.between(20, 6_000), () => process.isFrozen && this.#world.time.thaw(process));
  }

  /** Somebody takes a member out of the group. */
  expelConsumer(): void {
    const { group, random } = this.#world;
    if (group.members.size > 0) group.leave(random.pick([...group.members.keys()]));
  }

  killConsumer(): void {
    const running = this.#consumers();
    if (running.length > 0) this.#world.random.pick(running).kill();
  }

  killBroker(): void {
    const node = this.#victim();
    if (node === undefined) return;
    node.process.isDead = true;
    for (const connection of this.#world.network.open) if (connection.broker.node === node) connection.reset();
    this.#world.controller.down(node);
    this.#later(this.#world.random.between(100, 3_000), () => this.#well(node));
  }

  freezeBroker(): void {
    const { time, controller, random } = this.#world;
    const node = this.#victim();
    if (node === undefined) return;
    node.process.isFrozen = true;
    time.after(GIVEN_UP_MS, undefined, () => {
      if (!node.process.isFrozen) return;
      for (const partition of controller.partitions.values()) if (partition.now.leader === node.id) controller.elect(partition);
    });
    this.#later(random.between(20, 4_000), () => this.#well(node));
  }

  moveLeader(): void {
    const { controller, random } = this.#world;
    const data = [...controller.partitions.values()].filter(({ topic }) => !topic.startsWith('__'));
    const partition = random.pick(data);
    if (partition !== undefined) controller.elect(partition);
  }

  moveCoordinator(): void {
    const groups = this.#world.controller.get(GROUPS);
    if (groups !== undefined) this.#world.controller.elect(groups);
  }

  connection(harm: (connection: Connection) => void): void {
    const open = [...this.#world.network.open];
    if (open.length > 0) harm(this.#world.random.pick(open));
  }

  trouble(): void {
    const { target, random } = this.#world;
    target.trouble = random.between(0.1, 0.9);
    this.#later(random.between(100, 3_000), () => {
      target.trouble = 0;
    });
  }

  /** One at a time: two of three brokers are there always. */
  #victim(): BrokerNode | undefined {
    const { nodes } = this.#world.controller;
    return nodes.every(({ isUp, process }) => isUp && !process.isFrozen) ? this.#world.random.pick(nodes) : undefined;
  }

  #well(node: BrokerNode): void {
    const { controller, brokers, time } = this.#world;
    if (node.process.isFrozen) time.thaw(node.process);
    if (node.isUp) return;
    node.process.isDead = false;
    brokers[node.id - 1]?.restarted();
    controller.up(node);
  }

  #later(afterMs: number, act: () => void): void {
    this.#world.time.after(afterMs, undefined, () => {
      if (!this.#isOver) act();
    });
  }
}
