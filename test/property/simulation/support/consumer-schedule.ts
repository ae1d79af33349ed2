// One schedule of the consumer's half: records come, consumers come and go, things go wrong; then nothing does, and all must come to rest.
import { lastRecords, Violation } from './checks.js';
import { ConsumerProcess, PREFIX } from './consumer-process.js';
import { nameOf, type SimulatedPartition } from './kafka/controller.js';
import { Nemesis } from './nemesis.js';
import { Upstream } from './upstream.js';
import { World } from './world.js';

const MAX_CONSUMERS = 3;
/** Within so long, in milliseconds of the schedule's clock, all is at rest when nothing goes wrong any more. */
const REST_MS = 150_000;
/** Whether that is so is asked after so many events. */
const LOOK_EVERY = 8;

export interface Outcome {
  readonly events: number;
  readonly virtualMs: number;
  readonly faults: readonly string[];
  readonly violations: readonly Error[];
}

export async function runConsumerSchedule(seed: number): Promise<Outcome> {
  const schedule = new ConsumerSchedule(seed);
  return schedule.run();
}

class ConsumerSchedule {
  readonly #world: World;
  readonly #nemesis: Nemesis;
  readonly #upstream: Upstream;
  readonly #topics: readonly string[];
  #consumers: ConsumerProcess[] = [];
  #started = 0;

  constructor(seed: number) {
    this.#world = new World(seed, { comparesVersions: seed % 2 === 0, arrivesWithinMs: 100, slowness: [1, 20, 60][seed % 3] ?? 1 });
    const { random, controller } = this.#world;
    this.#nemesis = new Nemesis(this.#world, () => this.#running);
    this.#topics = Array.from({ length: 1 + random.below(2) }, (_, number) => `${PREFIX}.shop.c${number}`);
    for (const topic of this.#topics) controller.create(topic, 1 + random.below(3));
    this.#upstream = new Upstream(this.#world, this.#topics, random.pick([2, 60, 60]));
  }

  async run(): Promise<Outcome> {
    const { time, random, checks } = this.#world;
    time.install(() => random.next());
    try {
      const stormMs = random.between(1_000, 6_000);
      this.#again(
        () => random.between(5, 250),
        stormMs,
        () => this.#upstream.write(),
      );
      this.#again(
        () => random.between(30, 500),
        stormMs,
        () => this.#nemesis.strike(),
      );
      this.#again(
        () => random.between(100, 2_000),
        stormMs,
        () => this.#comeAndGo(),
      );
      this.#start();
      await this.#until(() => time.nowMs >= stormMs, stormMs + 1);
      this.#nemesis.heal();
      await this.#startAndStop();
      if (!(await this.#until(() => this.#isAtRest(), REST_MS))) checks.violated(`not at rest: ${this.#unrest()}`);
      if (checks.violations.length === 0) this.#compare();
      for (const consumer of this.#running) consumer.stop();
      const haveEnded = await this.#until(() => this.#running.length === 0, REST_MS);
      if (!haveEnded && checks.violations.length === 0) checks.violated('a consumer does not end');
    } finally {
      time.uninstall();
    }
    return { events: time.events, virtualMs: time.nowMs, faults: this.#nemesis.faults, violations: checks.violations };
  }

  get #running(): readonly ConsumerProcess[] {
    this.#consumers = this.#consumers.filter(({ isOver }) => !isOver);
    return this.#consumers;
  }

  #until(isOver: () => boolean, limitMs: number): Promise<boolean> {
    const { time, checks } = this.#world;
    return time.run(() => checks.violations.length > 0 || isOver(), limitMs);
  }

  #again(everyMs: () => number, untilMs: number, act: () => void): void {
    const { time } = this.#world;
    const next = () => {
      if (time.nowMs >= untilMs) return;
      act();
      time.after(everyMs(), undefined, next);
    };
    time.after(everyMs(), undefined, next);
  }

  #start(): ConsumerProcess {
    this.#started += 1;
    const consumer = new ConsumerProcess(this.#world, `consumer ${this.#started}`);
    this.#consumers.push(consumer);
    return consumer;
  }

  #comeAndGo(): void {
    const { random } = this.#world;
    const running = this.#running.filter(({ isStopping }) => !isStopping);
    if (running.length === 0 || (running.length < MAX_CONSUMERS && random.chance(0.6))) this.#start();
    else random.pick(running).stop();
  }

  /** Nothing goes wrong any more: whoever has left is no member, at whatever moment it was stopped. */
  async #startAndStop(): Promise<void> {
    const { time, random, checks, group } = this.#world;
    const [stays] = this.#running.filter(({ isStopping }) => !isStopping);
    if (stays === undefined) this.#start();
    const guest = this.#start();
    time.after(random.between(0, 2_500), undefined, () =>
      guest.stop(() => {
        const owners = [...group.pending.values(), ...[...group.members.values()].map(({ owner }) => owner)];
        if (owners.includes(guest.process)) checks.violated(`${guest.process.name} has ended and is a member still`);
      }),
    );
    await this.#until(() => guest.isOver, REST_MS);
  }

  get #partitions(): SimulatedPartition[] {
    return [...this.#world.controller.partitions.values()].filter(({ topic }) => this.#topics.includes(topic));
  }

  #isAtRest(): boolean {
    return this.#world.time.events % LOOK_EVERY === 0 && this.#unrest() === '';
  }

  /** What is not as it should be in the end. */
  #unrest(): string {
    const { group } = this.#world;
    if (!this.#upstream.isDone) return 'a transaction is open';
    for (const { topic, partition, log } of this.#partitions) {
      const end = Math.max(-1, ...log.committed.map(({ offset }) => offset)) + 1;
      const committed = group.offsets.get(nameOf(topic, partition))?.offset ?? 0;
      if (committed < end) return `${nameOf(topic, partition)} is committed up to ${committed}, and ends at ${end}`;
    }
    const members = [...group.members.values()].map(({ owner }) => owner.name).sort();
    const running = this.#running.map(({ process }) => process.name).sort();
    if (members.join() !== running.join() || group.pending.size > 0) return `members are ${members.join()}, running are ${running.join()}`;
    return '';
  }

  #compare(): void {
    const { target, checks } = this.#world;
    for (const partition of this.#partitions) {
      for (const [document, offset] of lastRecords(partition)) {
        const held = target.state.get(document)?.offset;
        if (held !== offset) checks.violations.push(new Violation(`the target has ${held} of ${document}, whose last record is ${offset}`));
      }
    }
  }
}
