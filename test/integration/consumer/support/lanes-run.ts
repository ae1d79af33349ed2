// Lanes in front of a real target, with what became of each change by its key.
import { Lanes, type Target } from '@tailwater/consumer';
import type { Namespace } from '@tailwater/schema';
import type { Change } from '#consumer/changes/change.js';
import { TestDelivery } from '#test/unit/consumer/support/changes.js';

export class LanesRun {
  readonly lanes: Lanes;
  readonly deadLetters: string[] = [];
  /** Codes of failures of the whole target. */
  readonly failures: string[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #deliveries: TestDelivery[] = [];

  constructor(target: Target) {
    this.lanes = new Lanes(
      target,
      {
        lanes: 4,
        batch: { count: 100, bytes: 1_000_000, lingerMs: 2 },
        buffer: { count: 400, bytes: 8_000_000 },
        retry: { minMs: 20, maxMs: 300 },
        refusalLimit: 1000,
      },
      {
        onRequest: () => undefined,
        onRetry: ({ code }) => this.failures.push(code),
        onRejected: ({ change }, { code }) => {
          this.deadLetters.push(`${change.key} ${code}`);
          return 'deadLettered';
        },
      },
    );
    this.#running = this.lanes.run(this.#stop.signal);
    this.#running.catch(() => undefined);
  }

  /** As the reader of a partition does. */
  async feed(changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      await this.lanes.untilCapacity(this.#stop.signal, change.namespace);
      if (this.#stop.signal.aborted) return;
      const delivery = new TestDelivery(change);
      delivery.onSettled = (each) => this.lanes.settled(each);
      this.#deliveries.push(delivery);
      this.lanes.push(delivery);
    }
  }

  /** The keys of a namespace that ended so, in the order in which they came. */
  ended(namespace: Namespace, outcome = 'applied'): string[] {
    return this.#deliveries
      .filter(({ change, outcomes }) => change.namespace === namespace && outcomes.join() === outcome)
      .map(({ change }) => change.key);
  }

  /** `namespace.collection code` of each place that waits. */
  get waiting(): string[] {
    return this.lanes.waiting.map(({ namespace, code }) => `${namespace.collection} ${code}`).sort();
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.lanes.release(1000);
    await this.#running;
  }
}
