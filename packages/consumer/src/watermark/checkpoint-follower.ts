// Reads the checkpoint topic from where nothing that counts is missing, and follows it.
import { Backoff, type CommittedPartition, CommittedReader, type KafkaClient, type Logger, Notifier, sleep } from '@tailwater/runtime';
import { parseCheckpointKey } from '@tailwater/schema';
import type { PublishedState } from './published-state.js';

/** A base is looked for in so many offsets before the end, then in ten times as many. A source that wrote nothing for longer is taken for one that is gone. */
const FIRST_STEP = 1_000n;
const LAST_STEP = 1_000_000n;
/** How long the broker holds a fetch at the topic's end, in milliseconds. */
const MAX_WAIT_MS = 500;
const PATIENCE_MS = 10_000;
const RETRY = { minMs: 1_000, maxMs: 30_000 };

export class CheckpointFollower {
  /** Something new was read. */
  readonly changed = new Notifier();
  readonly #kafka: KafkaClient;
  readonly #topic: string;
  readonly #state: PublishedState;
  readonly #logger: Logger;
  #isCurrent = false;
  #failure: string | undefined;

  constructor(kafka: KafkaClient, topic: string, state: PublishedState, logger: Logger) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.#state = state;
    this.#logger = logger;
  }

  /** Why it is not known how far the source is published; undefined when it is. */
  get reason(): string | undefined {
    if (this.#failure !== undefined) return `${this.#topic} cannot be read: ${this.#failure}`;
    return this.#isCurrent ? undefined : `${this.#topic} is being read`;
  }

  /** Until the signal aborts. Never rejects: without the topic the watermark is not known, and everything else works. */
  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff(RETRY);
    while (!signal.aborted) {
      try {
        await this.#follow(signal, () => backoff.reset());
      } catch (error) {
        if (signal.aborted) return;
        this.#failure = error instanceof Error ? error.message : String(error);
        this.#isCurrent = false;
        this.#logger.debug({ err: error, topic: this.#topic }, 'How far the source is published is not known');
        this.changed.notify();
      }
      await sleep(backoff.next(), signal);
    }
  }

  async #follow(signal: AbortSignal, onRead: () => void): Promise<void> {
    await using reader = await CommittedReader.open(this.#kafka);
    const place = { topic: this.#topic, partition: 0, patienceMs: PATIENCE_MS, signal };
    const from = await placeToBegin(reader, place);
    for await (const { records, next, end } of reader.read({ ...place, from, maxWaitMs: MAX_WAIT_MS })) {
      for (const { key, value, offset } of records) this.#state.take(String(key), value, BigInt(offset));
      this.#isCurrent ||= next >= end || records.length === 0;
      this.#failure = undefined;
      onRead();
      this.changed.notify();
    }
  }
}

/** The oldest of what the newest base of each source names, looked for backwards from the end; the topic’s beginning where one has no base. */
async function placeToBegin(reader: CommittedReader, place: CommittedPartition): Promise<bigint> {
  const { low, end } = await reader.range(place);
  for (let step = FIRST_STEP; ; step *= 10n) {
    const start = end - step > low ? end - step : low;
    const sources = new Set<string>();
    const bases = new Map<string, bigint>();
    for await (const { records, next } of reader.read({ ...place, from: start })) {
      for (const { key, value, offset } of records) {
        const { source, kind } = parseCheckpointKey(String(key)) ?? {};
        if (source === undefined) continue;
        sources.add(source);
        if (kind !== 'base' || value === null) continue;
        const from = BigInt((JSON.parse(value.toString('utf8')) as { from: string }).from);
        bases.set(source, from < BigInt(offset) ? from : BigInt(offset));
      }
      if (next >= end || records.length === 0) break;
    }
    if (sources.size > 0 && bases.size === sources.size) return oldest(bases.values(), low);
    if (start === low || step >= LAST_STEP) return low;
  }
}

function oldest(offsets: Iterable<bigint>, low: bigint): bigint {
  const first = [...offsets].reduce((a, b) => (a < b ? a : b));
  return first > low ? first : low;
}
