// A gap is healed, not hidden (promise F): the tail goes on at the newest position, every included collection is copied again,
// and every topic is swept of what vanished meanwhile. All of that is decided in one transaction, so that a crash before it finds
// the gap again, and a crash behind it finds what is left to do.
import { type Logger, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace, type Position } from '@tailwater/schema';
import {
  type Checkpoint,
  type GapRecord,
  gapMessage,
  pendingSweep,
  positionMessage,
  type SweepRecord,
  snapshotMessage,
  sweepMessage,
} from '../checkpoint/checkpoint-record.js';
import type { TopicLayout, TopicRecords } from '../encode/record-encoder.js';
import type { TrackedNamespace } from '../normalize/change-batch.js';
import type { ProducerMetrics } from '../producer-metrics.js';
import type { ProducerState } from '../producer-state.js';
import type { Publisher } from '../publish/publisher.js';
import { beginAnew } from '../snapshot/snapshot-plan.js';
import { PositionLost } from '../source/position-lost.js';
import { toEveryPartition } from './control-records.js';
import { ownTopics } from './vanished.js';

/** What becomes of a gap: everything is copied and swept again, or the producer ends and leaves it to a person. */
export type OnGap = 'resnapshot' | 'stop';

export interface GapSession {
  readonly publisher: Publisher;
  readonly topics: {
    namespaces(): Promise<Namespace[]>;
    find(namespaces: readonly TrackedNamespace[]): Promise<void>;
    existing(namespace: TrackedNamespace): Promise<TopicLayout | undefined>;
  };
  readonly checkpointTopic: string;
  readonly source: string;
  readonly namespaceOf: (name: string) => TrackedNamespace;
  readonly newestPosition: () => Promise<Position>;
  /** The included collections that exist. */
  readonly collections: () => Promise<readonly string[]>;
}

export class Gaps {
  readonly #onGap: OnGap;
  readonly #metrics: ProducerMetrics;
  readonly #state: ProducerState;
  readonly #logger: Logger;
  #lost: PositionLost | undefined;
  #noticedAtMs = 0;

  constructor(onGap: OnGap, metrics: ProducerMetrics, state: ProducerState, logger: Logger) {
    this.#onGap = onGap;
    this.#metrics = metrics;
    this.#state = state;
    this.#logger = logger;
  }

  /** Whether a session ended with a gap that the next one heals. */
  notice(error: unknown): boolean {
    if (this.#onGap === 'stop' || !(error instanceof PositionLost)) return false;
    this.#lost = error;
    this.#noticedAtMs = Date.now();
    return true;
  }

  /**
   * Heals the gap that was noticed, unless another producer has done so meanwhile.
   *
   * @returns the checkpoint to go on from, which is in Kafka by then
   * @throws TailwaterError TW1130 when the source has not come to the checkpoint yet: later positions would not be newer
   */
  async heal(checkpoint: Checkpoint, session: GapSession): Promise<Checkpoint> {
    const lost = this.#lost;
    this.#state.gap = checkpoint.gap;
    const isKnown = (checkpoint.gap?.detectedAtMs ?? 0) >= this.#noticedAtMs;
    if (lost === undefined || checkpoint.position === undefined || isKnown) return checkpoint;
    const to = await session.newestPosition();
    if (to.compare(checkpoint.position) <= 0)
      throw new TailwaterError('TW1130', { position: checkpoint.position.toString(), newest: to.toString() });
    const gap: GapRecord = {
      from: checkpoint.position.toString(),
      oldest: lost.oldest?.toString() ?? null,
      to: to.toString(),
      detectedAtMs: Date.now(),
      healedAtMs: null,
    };
    const collections = (await session.collections()).map((name) => session.namespaceOf(name));
    const published = (await session.topics.namespaces()).map((namespace) => session.namespaceOf(formatNamespace(namespace)));
    const swept = ownTopics(published, collections, checkpoint);
    this.#announce(gap, checkpoint, lost, collections.length, swept.length);
    const healing: Checkpoint = {
      ...checkpoint,
      position: to,
      writtenAtMs: Date.now(),
      // Asked for, so that a producer that copies nothing by itself copies these.
      snapshots: new Map(collections.map(({ name }) => [name, beginAnew(true)])),
      sweeps: new Map([...checkpoint.sweeps, ...swept.map(({ name }): [string, SweepRecord] => [name, pendingSweep('gap')])]),
      gap,
    };
    const records = await gapRecords(session, swept, gap, to);
    await session.publisher.submit({ topics: [...records, checkpointRecords(session, checkpoint, healing, gap)] });
    await session.publisher.flush();
    this.#lost = undefined;
    this.#state.gap = gap;
    this.#metrics.gapFound();
    return healing;
  }

  /** By how much, why, and what happens next. */
  #announce({ from, oldest, to }: GapRecord, checkpoint: Checkpoint, lost: PositionLost, collections: number, topics: number): void {
    const secondsLost = Number(lost.oldest?.t ?? to.split(':')[0]) - lost.position.t;
    const secondsAway = Math.round((Date.now() - checkpoint.writtenAtMs) / 1000);
    this.#logger.warn(
      {
        code: lost.code,
        checkpoint: from,
        writtenAt: new Date(checkpoint.writtenAtMs).toISOString(),
        secondsAway,
        oldest,
        secondsLost,
        goesOnAt: to,
      },
      `A gap: MongoDB has discarded changes that were not read, ${secondsLost} s of them, because its oplog keeps less than the ${secondsAway} s since the checkpoint. Now ${collections} collections are copied again and ${topics} topics swept of documents that are gone; the tail goes on meanwhile. A larger oplog would have prevented it`,
    );
  }
}

/** Tells every partition of the topics that what came before is not the whole story. */
async function gapRecords(
  { topics, source }: GapSession,
  namespaces: readonly TrackedNamespace[],
  { from, oldest, to, detectedAtMs }: GapRecord,
  position: Position,
): Promise<TopicRecords[]> {
  const records: TopicRecords[] = [];
  await topics.find(namespaces);
  for (const namespace of namespaces) {
    const layout = await topics.existing(namespace);
    const details = { namespace: namespace.name, from, oldest, to };
    if (layout !== undefined) records.push(toEveryPartition(layout, source, { kind: 'gap', position, wallTimeMs: detectedAtMs, details }));
  }
  return records;
}

function checkpointRecords(
  { source, checkpointTopic }: GapSession,
  before: Checkpoint,
  { position, writtenAtMs, snapshots, sweeps }: Checkpoint,
  gap: GapRecord,
): TopicRecords {
  const messages = [gapMessage(source, gap), positionMessage(source, position as Position, writtenAtMs)];
  for (const name of before.snapshots.keys()) if (!snapshots.has(name)) messages.push(snapshotMessage(source, name, null));
  for (const [name, progress] of snapshots) messages.push(snapshotMessage(source, name, progress));
  for (const [name, sweep] of sweeps) messages.push(sweepMessage(source, name, sweep));
  return { topic: checkpointTopic, messages };
}
