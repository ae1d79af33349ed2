// Topics that this process may not read, because Kafka refuses. An administrator can grant access, and other topics are not affected, so the process keeps asking and reports them.
import { type Clock, errorCodes, type Logger, Outage, TailwaterError } from '@tailwater/runtime';

/** More are not named. */
const MAX_NAMED = 5;
const TEXTS = {
  begins: 'Topics may not be read, the others go on',
  lasts: 'Topics still may not be read',
  over: 'All topics may be read again',
  isState: true,
};

export class DeniedTopics {
  readonly #brokers: string;
  readonly #outage: Outage;
  readonly #topics = new Set<string>();

  constructor(brokers: string, clock: Clock, logger: Logger) {
    this.#brokers = brokers;
    this.#outage = new Outage(TEXTS, logger, clock);
  }

  get view(): readonly string[] {
    return [...this.#topics];
  }

  refused(topic: string): void {
    this.#topics.add(topic);
    const { code, message, hint } = topicsDenied(this.#brokers, this.view);
    this.#outage.failed(message, { code, hint, topics: this.#topics.size });
  }

  /** The others are not this process's to read any more. */
  keepOnly(isRead: (topic: string) => boolean): void {
    for (const topic of this.#topics) if (!isRead(topic)) this.ended(topic);
  }

  /** The topic is read, or is not to be. */
  ended(topic: string): void {
    if (this.#topics.delete(topic) && this.#topics.size === 0) this.#outage.recovered();
  }
}

/** What is told of topics that may not be read. */
export function topicsDenied(brokers: string, topics: readonly string[]): TailwaterError {
  const more = topics.length > MAX_NAMED ? ` and ${topics.length - MAX_NAMED} more` : '';
  return new TailwaterError(errorCodes.KAFKA_ACCESS_DENIED, { brokers, resource: `topic ${topics.slice(0, MAX_NAMED).join(', ')}${more}` });
}
