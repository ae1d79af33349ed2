// One session: from the claim of the checkpoint to the first failure, or to the loss of the lead. Whatever failed, and whether or not the
// last transaction was committed, the next one reads the checkpoint anew and goes on from there (promises A and B).
import { abortable, type TopicAdvice } from '@tailwater/runtime';
import { signalsTopicName } from '@tailwater/schema';
import type { Gaps } from '../backfill/gap/gaps.js';
import { usedPartitions } from '../backfill/gap/kafka-used-partitions.js';
import { listCollections } from '../backfill/snapshot/collections.js';
import { NamespaceTable } from '../changes/namespace-table.js';
import { type Checkpoint, positionMessage, shardsMessage } from '../checkpoint/checkpoint-record.js';
import { assertSameCluster } from '../checkpoint/same-cluster.js';
import { resolveStartAt } from '../source/oplog/start-at.js';
import { ShardRoster } from '../source/sharded/shard-roster.js';
import type { ChangeSource } from '../source/source.js';
import { Claim, type Claimed } from './claim.js';
import type { PipelineDependencies, PipelineOptions } from './options.js';
import { openSource } from './source-kinds.js';

export interface Session extends Claimed {
  readonly namespaces: NamespaceTable;
  readonly changes: ChangeSource;
  /** What is read next is behind it. */
  readonly start: Checkpoint['position'] & {};
  /** What was read lately is published, or would be if it were not paused. */
  readonly confirm: () => void;
}

export type RunStages = (session: Session, signal: AbortSignal) => Promise<void>;

/** What a producer remembers from one session to the next. */
export interface Remembered {
  readonly gaps: Gaps;
  readonly advice: TopicAdvice;
}

/**
 * Claims the checkpoint, heals what is to be healed, and runs the stages from there until they end or the signal aborts.
 *
 * @param onRunning - called when something that was read is published
 */
export async function runSession(
  deps: PipelineDependencies,
  options: PipelineOptions,
  { gaps, advice }: Remembered,
  stages: RunStages,
  signal: AbortSignal,
  onRunning: () => void,
): Promise<void> {
  const { source, kafka, subjects, logger, state } = deps;
  const onTopicsMade = (count: number): void => deps.metrics.topicsCreated(count);
  const claim = new Claim({ kafka, source: source.replicaSet, subjects, advice, onTopicsMade, logger }, options);
  // That a session has begun proves little: it runs when something that it read, if only that there is nothing new, is published.
  const confirm = (): void => {
    onRunning();
    state.phase = 'running';
    state.lastError = undefined;
    deps.health.confirmed();
  };
  deps.metrics.sessionBegun();
  try {
    const claimed = await claim.take(signal);
    const begun = await begin(deps, options, gaps, claimed, signal);
    await stages({ ...claimed, ...begun, confirm }, signal);
  } catch (error) {
    throw await claim.explain(error, signal);
  } finally {
    await claim.release();
  }
}

/** Opens the source where the checkpoint says, behind a gap where there is one, or at the place of a first start. */
async function begin(
  deps: PipelineDependencies,
  options: PipelineOptions,
  gaps: Gaps,
  { checkpoint: claimed, checkpointTopic, topics, publisher, signals, announce }: Claimed,
  signal: AbortSignal,
): Promise<Pick<Session, 'checkpoint' | 'namespaces' | 'changes' | 'start'>> {
  const { source, kafka, rules, logger } = deps;
  const noted = assertSameCluster(claimed, source, options.acceptCluster);
  const executed = await abortable(signals.begin(source.replicaSet, claimed), signal);
  noted.push(...executed.noted);
  if (noted.length > 0) await publisher.submit({ topics: [{ topic: checkpointTopic, messages: noted }] });
  const roster = new ShardRoster((shards) => announce(shardsMessage(source.replicaSet, shards)));
  // The chunks of a snapshot wait for the tail to pass them.
  const changes = openSource(source, options, () => deps.report.totals().state === 'running', deps.health, roster, logger);
  const namespaces = new NamespaceTable(rules);
  const known = await gaps.heal(
    { ...claimed, ...executed.place },
    {
      publisher,
      topics,
      checkpointTopic,
      signalsTopic: signalsTopicName(options.prefix),
      source: source.replicaSet,
      namespaceOf: (name) => namespaces.byName(name),
      usedPartitions: (topic) => usedPartitions(kafka, topic, signal),
      newestPosition: () => changes.newestPosition(),
      collections: () => listCollections(source.client, rules),
    },
  );
  roster.load(known.shards);
  const isFirst = known.position === undefined;
  if (isFirst) await changes.begin?.();
  const start = known.position ?? (await resolveStartAt(source, options.source, changes, options.startAt));
  let checkpoint = known;
  if (isFirst) {
    // Before the first document is copied: a crash during the first snapshot must find where the tail began.
    const collections = (await listCollections(source.client, rules)).map((name) => namespaces.byName(name));
    const [begun, messages] = deps.plan.begin(known, collections, source.replicaSet);
    checkpoint = begun;
    messages.push(positionMessage(source.replicaSet, start, Date.now()));
    await publisher.submit({ topics: [{ topic: checkpointTopic, messages }] });
  }
  logger.info(
    { position: start.toString(), first: isFirst, source: options.source },
    `Reading the ${options.source === 'oplog' ? 'oplog' : 'change stream'} from ${new Date(start.t * 1000).toISOString()} on`,
  );
  return { checkpoint, namespaces, changes, start };
}
