// A gap is healed, not hidden (promise F): the tail goes on at the newest position, every included collection is copied again,
// and every topic is swept of what vanished meanwhile. All of that is decided in one transaction, so that a crash before it finds
// the gap again, and a crash behind it finds what is left to do. A checkpoint that is gone, while topics hold documents, is the largest of gaps.
import { errorCodes, type Logger, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, type Namespace, Position } from '@tailwater/schema';
import type { TrackedNamespace } from '../../changes/change-batch.js';
import {
  type Checkpoint,
  type GapRecord,
  gapMessage,
  pendingSweep,
  positionMessage,
  type SnapshotProgress,
  type SweepRecord,
  shardsMessage,
  signalsMessage,
  snapshotMessage,
  sweepMessage,
  topicMessage,
} from '../../checkpoint/checkpoint-record.js';
import { toEveryPartition } from '../../encode/control-records.js';
import type { TopicLayout, TopicRecords } from '../../encode/record-encoder.js';
import type { ProducerMetrics } from '../../metrics/producer-metrics.js';
import type { Publisher } from '../../publish/publisher.js';
import type { RecordedTopic } from '../../publish/recorded-topic.js';
import { PositionLost } from '../../source/position-lost.js';
import { unstartedCopy } from '../snapshot/snapshot-plan.js';
import { ownTopics } from '../sweep/vanished-namespaces.js';

/** What becomes of a gap: everything is copied and swept again, or the producer ends and leaves it to a person. */
export type OnGap = 'resnapshot' | 'stop';

export interface GapSession {
  readonly publisher: Publisher;
  readonly topics: {
    namespaces(): Promise<Namespace[]>;
    find(namespaces: readonly TrackedNamespace[]): Promise<void>;
    existing(namespace: TrackedNamespace): Promise<TopicLayout | undefined>;
    /** The offset behind the last record of a topic of one partition. */
    endOf(topic: string): Promise<bigint>;
    areFilled(namespaces: readonly TrackedNamespace[]): Promise<boolean>;
    remember(topics: ReadonlyMap<string, RecordedTopic>): void;
    nameOf(namespace: TrackedNamespace): string;
  };
  /** Into how many partitions the keys of a topic were divided, where that is fewer than it has. */
  readonly usedPartitions: (topic: string) => Promise<number | undefined>;
  readonly checkpointTopic: string;
  readonly signalsTopic: string;
  readonly source: string;
  readonly namespaceOf: (name: string) => TrackedNamespace;
  readonly newestPosition: () => Promise<Position>;
  /** The included collections that exist. */
  readonly collections: () => Promise<readonly string[]>;
}

interface HealingWork {
  readonly collections: number;
  readonly topics: number;
}

/** Who tells of gaps. */
export interface GapView {
  /** The newest gap, healed or not. */
  gap: GapRecord | undefined;
}

/** Where an unknown source begins. */
const NOWHERE = new Position(0, 0);

export class Gaps {
  readonly #onGap: OnGap;
  readonly #metrics: ProducerMetrics;
  readonly #view: GapView;
  readonly #logger: Logger;
  #lost: PositionLost | undefined;
  #noticedAtMs = 0;

  constructor(onGap: OnGap, metrics: ProducerMetrics, view: GapView, logger: Logger) {
    this.#onGap = onGap;
    this.#metrics = metrics;
    this.#view = view;
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
   * Heals the gap that was noticed, unless another producer has done so meanwhile, and a checkpoint that is gone.
   *
   * @returns the checkpoint to go on from, which is in Kafka by then
   * @throws TailwaterError TW1130 when the source has not come to the checkpoint yet: later positions would not be newer; TW1221 with `onGap: 'stop'`
   */
  async heal(checkpoint: Checkpoint, session: GapSession): Promise<Checkpoint> {
    const lost = this.#lost;
    this.#view.gap = checkpoint.gap;
    const isKnown = (checkpoint.gap?.detectedAtMs ?? 0) >= this.#noticedAtMs;
    if (checkpoint.position !== undefined && (lost === undefined || isKnown)) return checkpoint;
    const published = (await session.topics.namespaces()).map((namespace) => session.namespaceOf(formatNamespace(namespace)));
    if (checkpoint.position === undefined && !(await this.#isForgotten(checkpoint, published, session))) return checkpoint;
    const from = checkpoint.position ?? NOWHERE;
    const to = await session.newestPosition();
    if (to.compare(from) <= 0)
      throw new TailwaterError(errorCodes.SOURCE_BEHIND_CHECKPOINT, { position: from.toString(), newest: to.toString() });
    const gap: GapRecord = {
      from: from.toString(),
      oldest: lost?.oldest?.toString() ?? null,
      to: to.toString(),
      detectedAtMs: Date.now(),
      healedAtMs: null,
    };
    const collections = (await session.collections()).map((name) => session.namespaceOf(name));
    const swept = ownTopics(published, collections, checkpoint);
    const recorded = checkpoint.position === undefined ? await topicsOf(swept, session) : checkpoint.topics;
    session.topics.remember(recorded);
    const work = { collections: collections.length, topics: swept.length };
    if (lost === undefined || checkpoint.position === undefined) this.#announceForgotten(gap, session.checkpointTopic, work);
    else this.#announce(gap, { ...checkpoint, position: checkpoint.position }, lost, work);
    const healing: Checkpoint = {
      ...checkpoint,
      position: to,
      writtenAtMs: Date.now(),
      // What is left out for a time is still to be copied when it is included again. The others are asked for, so that a producer that copies nothing by itself
      // copies these.
      snapshots: new Map([
        ...[...checkpoint.snapshots].filter(([name]) => !session.namespaceOf(name).included),
        ...collections.map(({ name }): [string, SnapshotProgress] => [name, unstartedCopy(true)]),
      ]),
      sweeps: new Map([...checkpoint.sweeps, ...swept.map(({ name }): [string, SweepRecord] => [name, pendingSweep('gap')])]),
      topics: recorded,
      gap,
      // What was asked for long ago is not to be done again.
      signals: checkpoint.position === undefined ? await session.topics.endOf(session.signalsTopic) : checkpoint.signals,
      signalsTopic: checkpoint.signalsTopic,
      // Everything is read again: what is gone with a shard, too.
      shards: [],
    };
    const records = await gapRecords(session, swept, gap, to);
    await session.publisher.submit({ topics: [...records, checkpointRecords(session, checkpoint, healing, gap)] });
    await session.publisher.flush();
    this.#lost = undefined;
    this.#view.gap = gap;
    this.#metrics.gapFound();
    return healing;
  }

  /** Where other sources write under the same prefix, the topics may be theirs: then it is a first start, as far as anyone can tell. */
  async #isForgotten({ isShared }: Checkpoint, published: readonly TrackedNamespace[], session: GapSession): Promise<boolean> {
    const own = published.filter(({ included }) => included);
    if (isShared || !(await session.topics.areFilled(own))) return false;
    if (this.#onGap === 'stop')
      throw new TailwaterError(errorCodes.CHECKPOINT_LOST, { topic: session.checkpointTopic, topics: own.length });
    return true;
  }

  #announceForgotten({ to }: GapRecord, topic: string, { collections, topics }: HealingWork): void {
    this.#logger.warn(
      { code: errorCodes.CHECKPOINT_LOST, topic, goesOnAt: to },
      `The checkpoint is gone: ${topic} has no entry for this source, but topics contain documents, so this is not a first start. The topic was deleted, or the prefix belongs to another pipeline. Now ${collections} collections are copied again and ${topics} topics swept of documents that are gone; the tail goes on meanwhile`,
    );
  }

  /** By how much, why, and what happens next. */
  #announce(
    { from, oldest, to }: GapRecord,
    checkpoint: Checkpoint & { readonly position: Position },
    lost: PositionLost,
    { collections, topics }: HealingWork,
  ): void {
    const secondsLost = Number(lost.oldest?.t ?? to.split(':')[0]) - lost.position.t;
    const secondsAway = Math.round((Date.now() - checkpoint.writtenAtMs) / 1000);
    const discarded = `MongoDB has discarded changes that were not read, ${secondsLost} s of them, because its oplog keeps less than the ${secondsAway} s since the checkpoint`;
    const [why, better] =
      lost.code === errorCodes.REMOVED_SHARD_GAP ? [lost.message, 'A shard that runs until it is read'] : [discarded, 'A larger oplog'];
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
      `A gap: ${why}. Now ${collections} collections are copied again and ${topics} topics swept of documents that are gone; the tail goes on meanwhile. ${better} would have prevented it`,
    );
  }
}

/** What the checkpoint said of topics that had partitions added, or would have. */
async function topicsOf(
  namespaces: readonly TrackedNamespace[],
  { topics, usedPartitions }: GapSession,
): Promise<Map<string, RecordedTopic>> {
  const found = new Map<string, RecordedTopic>();
  for (const namespace of namespaces) {
    const partitions = await usedPartitions(topics.nameOf(namespace));
    if (partitions !== undefined) found.set(namespace.name, { partitions, id: undefined });
  }
  return found;
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
  { position, writtenAtMs, snapshots, sweeps, signals, signalsTopic, topics }: Checkpoint,
  gap: GapRecord,
): TopicRecords {
  const messages = [gapMessage(source, gap), positionMessage(source, position as Position, writtenAtMs)];
  if (signals !== before.signals) messages.push(signalsMessage(source, signals, signalsTopic));
  if (before.shards.length > 0) messages.push(shardsMessage(source, []));
  for (const name of before.snapshots.keys()) if (!snapshots.has(name)) messages.push(snapshotMessage(source, name, null));
  if (topics !== before.topics) for (const [name, topic] of topics) messages.push(topicMessage(source, name, topic));
  for (const [name, progress] of snapshots) messages.push(snapshotMessage(source, name, progress));
  for (const [name, sweep] of sweeps) messages.push(sweepMessage(source, name, sweep));
  return { topic: checkpointTopic, messages };
}
