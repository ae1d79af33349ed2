// A group that no broker coordinates for long: brokers that start, or elect, are back within seconds, and what lasts is for people.
import { type Clock, systemClock } from '../../async/clock.js';
import type { Logger } from '../../logging/logger.js';
import { Outage } from '../../logging/outage.js';

/** So long, in milliseconds, nothing is said. */
const QUIET_MS = 30_000;
const HINT =
  'where __consumer_offsets cannot be made because its replication factor (offsets.topic.replication.factor) is larger than the number of brokers, or has partitions without a leader, there is none';

export class CoordinatorOutage {
  readonly #outage: Outage;
  readonly #clock: Clock;
  #sinceMs: number | undefined;

  constructor(groupId: string, logger: Logger, clock: Clock = systemClock) {
    const texts = {
      begins: `No broker coordinates the group ${groupId}; trying again until one does`,
      lasts: `Still no broker coordinates the group ${groupId}`,
      over: `A broker coordinates the group ${groupId} again`,
    };
    this.#outage = new Outage(texts, logger, clock);
    this.#clock = clock;
  }

  /** @param reason - what a broker said */
  refused(reason: string): void {
    this.#sinceMs ??= this.#clock.monotonic();
    if (this.#clock.monotonic() - this.#sinceMs >= QUIET_MS) this.#outage.failed(`${reason}; ${HINT}`);
  }

  over(): void {
    this.#sinceMs = undefined;
    this.#outage.recovered();
  }
}
