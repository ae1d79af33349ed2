// Writes a base whenever the last one is far behind the end of the topic, so that the next producer has little to read. Other sources may
// write to the same topic, and that they do must not be forgotten with what lies before a base: their keys are looked for on the way.
import { CommittedReader, type KafkaClient, type Logger, sleep } from '@tailwater/runtime';
import type { Publisher } from '../publish/publisher.js';
import type { CheckpointBase } from './base.js';
import { isOfAnother } from './checkpoint-record.js';
import type { CheckpointLocation } from './kafka-checkpoint-store.js';

/** How often the end of the topic is looked at, in milliseconds. */
const CHECK_MS = 30_000;
/** Offsets that lie behind the last base before another one is written, at least: a reader takes tenths of a second for them. */
const DISTANCE = 20_000n;
/** Where many records are repeated, so many times as many offsets lie between. */
const PER_RECORD = 10n;
const PATIENCE_MS = 30_000;

export interface BaseKeeperDependencies {
  readonly kafka: KafkaClient;
  /** The offset behind the topic's last record. */
  readonly end: () => Promise<bigint>;
  readonly publisher: Pick<Publisher, 'submit'>;
  readonly base: CheckpointBase;
  readonly location: CheckpointLocation;
  readonly logger: Logger;
}

export class BaseKeeper {
  readonly #deps: BaseKeeperDependencies;
  readonly #distance: bigint;
  readonly #checkMs: number;

  constructor(deps: BaseKeeperDependencies, { distance = DISTANCE, checkMs = CHECK_MS } = {}) {
    this.#deps = deps;
    this.#distance = distance;
    this.#checkMs = checkMs;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (; !signal.aborted; await sleep(this.#checkMs, signal)) {
      const scanned = await this.#scanIfDue(signal).catch((error: unknown) => {
        // A base that is late costs time at the next start, and nothing else.
        if (!signal.aborted) this.#deps.logger.debug({ err: error }, 'The checkpoints could not be looked through; trying again later');
        return false;
      });
      if (scanned && !signal.aborted) await this.#write();
    }
  }

  async #scanIfDue(signal: AbortSignal): Promise<boolean> {
    const { end, base } = this.#deps;
    if (!this.#isDue(await end())) return false;
    await this.#scan(signal);
    return this.#isDue(base.scanned);
  }

  #isDue(end: bigint): boolean {
    const { base } = this.#deps;
    const repeated = BigInt(base.size) * PER_RECORD;
    return end - (base.from ?? 0n) > (repeated > this.#distance ? repeated : this.#distance);
  }

  /** Goes on to where the committed records end now. */
  async #scan(signal: AbortSignal): Promise<void> {
    const { kafka, base, location } = this.#deps;
    const place = { topic: location.topic, partition: 0, patienceMs: PATIENCE_MS, signal };
    const reader = await CommittedReader.open(kafka);
    try {
      const { end } = await reader.range(place);
      if (!base.isShared) {
        for await (const { records, next } of reader.read({ ...place, from: base.scanned })) {
          if (next === base.scanned) break;
          for (const { key, value } of records) base.isShared ||= isOfAnother(location.source, String(key), value);
          base.scanned = next;
          if (next >= end || base.isShared) break;
        }
      }
      if (base.isShared) base.scanned = end;
    } finally {
      await reader[Symbol.asyncDispose]();
    }
  }

  async #write(): Promise<void> {
    const { publisher, base, location, logger } = this.#deps;
    const from = base.scanned;
    // Nothing is awaited in between: what is submitted after it is newer.
    const messages = base.messages(from);
    await publisher.submit({
      topics: [{ topic: location.topic, messages }],
      onCommitted: () => {
        base.from = from;
        logger.debug({ from: String(from), records: messages.length }, 'Repeated the checkpoint, so that it is read quickly');
      },
    });
  }
}
