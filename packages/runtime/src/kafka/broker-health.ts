// Which brokers can be reached, for the log. kafkajs tells of every attempt that fails, and of none that succeeds; the sockets do.
import type { ISocketFactory } from 'kafkajs';
import { type Clock, systemClock } from '../async/clock.js';
import type { Logger } from '../logging/logger.js';
import { Outage } from '../logging/outage.js';
import { promptSocket } from './prompt-socket.js';

/** A broker that starts, or a proxy in front of none, accepts connections and drops them: only so long without a failure counts. */
const STEADY_MS = 2_000;

export class BrokerHealth {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #outages = new Map<string, { readonly outage: Outage; timer: NodeJS.Timeout | undefined }>();

  constructor(logger: Logger, clock: Clock = systemClock) {
    this.#logger = logger;
    this.#clock = clock;
  }

  /** For kafkajs: https://kafka.js.org/docs/configuration#custom-socket-factory */
  readonly socketFactory: ISocketFactory = (options) => {
    const onConnect = () => {
      this.#connected(`${options.host}:${options.port}`);
      options.onConnect();
    };
    return promptSocket({ ...options, onConnect });
  };

  /** @param broker - host:port */
  failed(broker: string, reason: string): void {
    let state = this.#outages.get(broker);
    if (state === undefined) {
      const texts = {
        begins: `The Kafka broker ${broker} cannot be reached, trying again until it can`,
        lasts: `The Kafka broker ${broker} still cannot be reached`,
        over: `The Kafka broker ${broker} can be reached again`,
      };
      state = { outage: new Outage(texts, this.#logger, this.#clock), timer: undefined };
      this.#outages.set(broker, state);
    }
    clearTimeout(state.timer);
    state.timer = undefined;
    state.outage.failed(reason, { broker });
  }

  #connected(broker: string): void {
    const state = this.#outages.get(broker);
    if (state === undefined || state.timer !== undefined) return;
    const connectedMs = this.#clock.monotonic();
    state.timer = setTimeout(() => {
      state.outage.recovered(connectedMs);
      this.#outages.delete(broker);
    }, STEADY_MS).unref();
  }
}
