// One session: from the claim of the checkpoint to the first failure, or to the loss of the lead. Whatever failed, and whether or not the
// last transaction was committed, the next one reads the checkpoint anew and goes on from there (promises A and B).
import { randomUUID } from 'node:crypto';
import { abortable, type TopicAdvice } from '@tailwater/runtime';
import { checkpointTopicName, signalsTopicName } from '@tailwater/schema';
import type { Gaps } from '../backfill/gap/gaps.js';
import { usedPartitions } from '../backfill/gap/kafka-used-partitions.js';
import { listCollections } from '../backfill/snapshot/collections.js';
import { NamespaceTable } from '../changes/namespace-table.js';
import { CheckpointBase } from '../checkpoint/base.js';
import { BaseKeeper } from '../checkpoint/base-keeper.js';
import { type Checkpoint, type CheckpointMessage, positionMessage, shardsMessage } from '../checkpoint/checkpoint-record.js';
import { CheckpointTopic } from '../checkpoint/checkpoint-topic.js';
import { claimCheckpoint } from '../checkpoint/kafka-checkpoint-store.js';
import { expectSameCluster } from '../checkpoint/same-cluster.js';
import { producerName } from '../election/producer-name.js';
import { toldWhoFenced } from '../election/who-fenced.js';
import { CHECKPOINT_LIMITS } from '../publish/kafka-small-topics.js';
import { KafkaTopics } from '../publish/kafka-topics.js';
import { KafkaTransactionSender } from '../publish/kafka-transaction-sender.js';
import { Publisher } from '../publish/publisher.js';
import { TopicList } from '../publish/topic-list.js';
import { SIGNALS } from '../publish/topic-settings.js';
import { TopicWatch } from '../publish/topic-watch.js';
import { resolveStartAt } from '../source/oplog/start-at.js';
import { ShardRoster } from '../source/sharded/shard-roster.js';
import type { ChangeSource } from '../source/source.js';
import type { PipelineDependencies, PipelineOptions } from './options.js';
import { openSource } from './source-kinds.js';

export interface Session {
  readonly namespaces: NamespaceTable;
  readonly topics: KafkaTopics;
  readonly topicWatch: TopicWatch;
  readonly publisher: Publisher;
  readonly changes: ChangeSource;
  readonly checkpoint: Checkpoint;
  readonly checkpointTopic: string;
  readonly start: Checkpoint['position'] & {};
  readonly baseKeeper: BaseKeeper;
  /** What was read lately is published, or would be if nobody had paused it. */
  readonly confirm: () => void;
}

export type RunStages = (session: Session, signal: AbortSignal) => Promise<void>;

/**
 * Claims the checkpoint, heals what is to be healed, and runs the stages from there until they end or the signal aborts.
 *
 * @param onRunning - called when something that was read is published
 */
export async function runSession(
  deps: PipelineDependencies,
  options: PipelineOptions,
  { gaps, advice }: { readonly gaps: Gaps; readonly advice: TopicAdvice },
  stages: RunStages,
  signal: AbortSignal,
  onRunning: () => void,
): Promise<void> {
  const { source, kafka, logger, state } = deps;
  const [admin, list] = [kafka.admin(), new TopicList(kafka)];
  let sender: KafkaTransactionSender | undefined;
  const [id, base] = [randomUUID(), new CheckpointBase(source.replicaSet)];
  const location = { topic: checkpointTopicName(options.prefix), source: source.replicaSet };
  let before = 0n;
  try {
    // Without Kafka these wait for it without end, which a stop must not.
    await abortable(admin.connect(), signal);
    const topics = new KafkaTopics({ admin, list, brokers: kafka.brokers }, options, { subjects: deps.subjects, advice });
    const checkpointTopic = location.topic;
    await abortable(topics.ensureTopic(checkpointTopic, 1, CHECKPOINT_LIMITS), signal);
    const kept = new CheckpointTopic({ list, topic: checkpointTopic, base, logger });
    await abortable(kept.remember(), signal);
    await abortable(topics.ensureLog(signalsTopicName(options.prefix), SIGNALS), signal);
    before = await abortable(topics.endOf(checkpointTopic), signal);
    const topicWatch = new TopicWatch(async () => {
      await kept.look(publisher);
      await topics.look();
    }, options.topicLookMs);
    sender = await KafkaTransactionSender.connect(kafka, producerName(options.prefix, source.replicaSet), {
      signal,
      onTopicInDoubt: () => topicWatch.soon(),
    });
    const publisher = new Publisher(sender, (records) => {
      for (const { topic, messages } of records)
        if (topic === checkpointTopic) for (const { key, value } of messages) base.take(String(key), value);
    });
    const announce = async (message: CheckpointMessage): Promise<void> => {
      await publisher.submit({ topics: [{ topic: checkpointTopic, messages: [message] }] });
      await publisher.flush();
    };
    const claim = claimCheckpoint(kafka, location, id, announce, { signal, base, logger });
    const claimed = await abortable(claim, signal);
    topics.remember(claimed.topics);
    const noted = expectSameCluster(claimed, source, options.acceptCluster);
    if (noted.length > 0) await publisher.submit({ topics: [{ topic: checkpointTopic, messages: noted }] });
    // The chunks of a snapshot wait for the tail to pass them.
    const roster = new ShardRoster((shards) => announce(shardsMessage(source.replicaSet, shards)));
    const changes = openSource(source, options, () => deps.report.totals().state === 'running', deps.health, roster, logger);
    const namespaces = new NamespaceTable(deps.rules);
    const known = await gaps.heal(claimed, {
      publisher,
      topics,
      checkpointTopic,
      signalsTopic: signalsTopicName(options.prefix),
      source: source.replicaSet,
      namespaceOf: (name) => namespaces.byName(name),
      usedPartitions: (topic) => usedPartitions(kafka, topic, signal),
      newestPosition: () => changes.newestPosition(),
      collections: () => listCollections(source.client, deps.rules),
    });
    roster.load(known.shards);
    if (known.position === undefined) await changes.begin?.();
    const start = known.position ?? (await resolveStartAt(source, options.source, changes, options.startAt));
    let checkpoint = known;
    if (known.position === undefined) {
      // Before the first document is copied: a crash during the first snapshot must find where the tail began.
      const collections = (await listCollections(source.client, deps.rules)).map((name) => namespaces.byName(name));
      const [begun, messages] = deps.plan.begin(known, collections, source.replicaSet);
      checkpoint = begun;
      messages.push(positionMessage(source.replicaSet, start, Date.now()));
      await publisher.submit({ topics: [{ topic: checkpointTopic, messages }] });
    }
    logger.info(
      { position: start.toString(), first: known.position === undefined, source: options.source },
      `Reading the ${options.source === 'oplog' ? 'oplog' : 'change stream'} from ${new Date(start.t * 1000).toISOString()} on`,
    );
    // That a session has begun proves little: it runs when something that it read, if only that there is nothing new, is published.
    const confirm = (): void => {
      onRunning();
      state.phase = 'running';
      state.lastError = undefined;
      deps.health.confirmed();
    };
    const end = (): Promise<bigint> => topics.endOf(checkpointTopic);
    const baseKeeper = new BaseKeeper({ kafka, end, publisher, base, location, logger });
    const session = { namespaces, topics, topicWatch, publisher, changes, checkpoint, checkpointTopic, start, baseKeeper, confirm };
    await stages(session, signal);
  } catch (error) {
    const from = base.from !== undefined && base.from > before ? base.from : before;
    throw await toldWhoFenced(error, { kafka, location, session: id, from, timeoutMs: sender?.timeoutMs ?? 0 }, signal);
  } finally {
    list.close();
    await Promise.allSettled([sender?.close(), admin.disconnect()]);
  }
}
