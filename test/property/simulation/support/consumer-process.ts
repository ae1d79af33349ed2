// One process of the consumer: the code of the product from the connection to the target, without its command line.
import { createLogger, systemClock } from '@tailwater/runtime';
import { SchemaIds } from '@tailwater/schema';
import { Pipeline } from '#consumer/pipeline.js';
import { KafkaSubscription } from '#consumer/subscribe/kafka.js';
import type { Subscription } from '#consumer/subscribe/subscription.js';
import type { Checks } from './checks.js';
import { simulatedKafka } from './kafka/client.js';
import type { Network } from './kafka/connection.js';
import type { SimulatedTarget } from './simulated-target.js';
import type { Process } from './virtual-time.js';

export const PREFIX = 'tw';
const SESSION_MS = 1_500;
const OPTIONS = {
  groupId: 'tw.simulated',
  sessionTimeoutMs: SESSION_MS,
  fetchBytes: 4_096,
  topicPollMs: 700,
  filter: { prefix: PREFIX, includes: () => true },
};
const logger = createLogger({ name: 'test', level: process.env['TAILWATER_SIMULATION_LOG'] ?? 'silent', format: 'json' });

export interface ConsumerWorld {
  readonly network: Network;
  readonly target: SimulatedTarget;
  readonly checks: Checks;
}

export class ConsumerProcess {
  readonly process: Process;
  /** Whether its work is done, or it was killed. */
  isOver = false;
  isStopping = false;
  readonly #world: ConsumerWorld;
  readonly #stop = new AbortController();

  constructor(world: ConsumerWorld, name: string) {
    this.#world = world;
    this.process = { name, isDead: false, isFrozen: false };
    world.network.time.after(0, this.process, () => this.#run());
  }

  /** Asks it to end. @param onEnd is told when it has */
  stop(onEnd: () => void = () => undefined): void {
    this.isStopping = true;
    this.#onEnd = onEnd;
    this.#world.network.time.after(0, this.process, () => this.#stop.abort());
  }

  kill(): void {
    this.isOver = true;
    this.process.isDead = true;
    for (const connection of this.#world.network.open) if (connection.client === this.process) connection.close();
  }

  #onEnd = (): void => undefined;

  #run(): void {
    const { network, target, checks } = this.#world;
    const real = new KafkaSubscription(simulatedKafka(network, this.process), OPTIONS, logger.child({ process: this.process.name }));
    const pipeline = new Pipeline(
      {
        subscription: observed(real, this.process, checks),
        target: target.connect(this.process),
        schemas: new SchemaIds(),
        transform: (change) => change,
        errorPolicy: {
          refused: () => Promise.reject(new Error('nothing is refused')),
          undecodable: () => Promise.reject(new Error('everything can be decoded')),
          waitsAt: () => undefined,
        },
        hooks: { onRetry: () => undefined, onRequest: () => undefined },
        clock: systemClock,
        logger,
      },
      {
        prefix: PREFIX,
        apply: {
          lanes: 2,
          batch: { count: 4, bytes: 100_000, lingerMs: 2 },
          buffer: { count: 16, bytes: 100_000 },
          retry: { minMs: 20, maxMs: 500 },
        },
        commitIntervalMs: 150,
        releaseGraceMs: SESSION_MS * 0.4,
      },
    );
    pipeline
      .run(this.#stop.signal)
      .then(
        () => {
          if (!this.isStopping) checks.violated(`${this.process.name} ends by itself`);
        },
        (error: Error) => checks.violated(`${this.process.name} fails: ${error.stack}`),
      )
      .finally(() => {
        this.isOver = true;
        this.#onEnd();
      });
  }
}

/** Tells of what the process is given. */
function observed(real: KafkaSubscription, process: Process, checks: Checks): Subscription {
  return instead(real, {
    run: (signal, listener) =>
      real.run(
        signal,
        instead(listener, {
          assign: (partitions) => {
            checks.given(process, partitions);
            return listener.assign(partitions);
          },
        }),
      ),
  });
}

/** The same, but for some methods. */
function instead<T extends object>(whole: T, some: Partial<T>): T {
  return new Proxy(whole, {
    get: (_, name) => {
      const value: unknown = Reflect.get(some, name) ?? Reflect.get(whole, name, whole);
      return typeof value === 'function' ? value.bind(whole) : value;
    },
  });
}
