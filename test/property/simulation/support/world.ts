// Everything that a schedule has: a clock, chance, three brokers, a target, and who looks whether all is well.
import { Checks } from './checks.js';
import { SimulatedBroker } from './kafka/broker.js';
import type { Network } from './kafka/connection.js';
import { Controller, GROUPS } from './kafka/controller.js';
import { GroupCoordinator } from './kafka/group-coordinator.js';
import { TransactionRequests } from './kafka/transaction-requests.js';
import { Random } from './random.js';
import { SimulatedTarget, type TargetOptions } from './simulated-target.js';
import { VirtualTime } from './virtual-time.js';

export class World {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly controller: Controller;
  readonly group: GroupCoordinator;
  readonly brokers: readonly SimulatedBroker[];
  readonly network: Network;
  readonly checks: Checks;
  readonly target: SimulatedTarget;

  constructor(seed: number, target: TargetOptions) {
    this.random = new Random(seed);
    const { time, random } = this;
    this.controller = new Controller(time, random);
    this.group = new GroupCoordinator(time);
    this.checks = new Checks(!target.comparesVersions);
    this.target = new SimulatedTarget(time, random, this.checks, target);
    const { controller, group, checks } = this;
    const transactions = new TransactionRequests();
    const onCommit: ConstructorParameters<typeof SimulatedBroker>[1]['onCommit'] = (owner, topic, partition, offset) => {
      const there = controller.get(topic, partition);
      if (there !== undefined) checks.committed(owner, there, offset);
    };
    this.brokers = controller.nodes.map((node) => new SimulatedBroker(node, { time, controller, group, transactions, onCommit }));
    this.network = { time, random, brokers: this.brokers, open: new Set(), lateFetches: random.pick([0, 0, 0.15, 0.5]) };
    controller.onMoved = ({ topic }) => {
      if (topic === GROUPS) group.moved();
    };
  }
}
