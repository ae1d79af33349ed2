// The producer: sessions of the pipeline while this process leads, one after the other.
import { abortable, errorCodes, TailwaterError, TopicAdvice } from '@tailwater/runtime';
import { checkpointTopicName } from '@tailwater/schema';
import { Gaps } from '../backfill/gap/gaps.js';
import { KafkaElection } from '../election/kafka-election.js';
import { lead, type RunSession } from '../election/lead.js';
import { producerName } from '../election/producer-name.js';
import { ensureOwnTopics } from '../publish/own-topics.js';
import { isRetriableMongoError } from '../source/mongo/mongo-errors.js';
import type { PipelineDependencies, PipelineOptions } from './options.js';
import { type RunStages, runSession } from './session.js';
import { runStages } from './stages.js';

/**
 * Runs sessions while this process leads, and stands by while another does, until the signal aborts.
 *
 * @throws TailwaterError for what no retry cures, such as TW1106 (the position has left the oplog) with `onGap: 'stop'`
 */
export async function runPipeline(deps: PipelineDependencies, options: PipelineOptions, signal: AbortSignal): Promise<void> {
  const { source, kafka, state } = deps;
  const logger = deps.logger.child({ component: 'lead' });
  const topic = checkpointTopicName(options.prefix);
  const group = { topic, groupId: producerName(options.prefix, source.replicaSet), sessionTimeoutMs: options.sessionTimeoutMs };
  const gaps = new Gaps(options.onGap, deps.metrics, state, deps.logger.child({ component: 'gap' }));
  const isOnceTooLarge = onceTooLarge(() => String(state.session?.position));
  const isPassing = (error: unknown): boolean => gaps.notice(error) || isRetriable(error) || isOnceTooLarge(error);
  const advice = new TopicAdvice(kafka.brokers, options.prefix, deps.logger.child({ component: 'publish' }));
  const stages: RunStages = (session, stop) => runStages(deps, options, session, stop);
  const session: RunSession = (stop, onRunning) => runSession(deps, options, { gaps, advice }, stages, stop, onRunning);
  try {
    await abortable(ensureOwnTopics(kafka, options, advice, logger, signal), signal);
    const election = new KafkaElection(kafka, group, logger);
    const tell = (error: unknown, fields: object): boolean => {
      const isMongo = isRetriableMongoError(error);
      if (isMongo) deps.health.interrupted(error, fields);
      return isMongo;
    };
    await lead({ election, state, logger, isRetriable: isPassing, tell }, session, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** The limit of a topic was lowered: the next session knows, and puts aside what is larger. One that comes no further says what it is. */
function onceTooLarge(position: () => string): (error: unknown) => boolean {
  let tooLargeAt: string | undefined;
  return (error) => {
    if (!(error instanceof TailwaterError && error.code === errorCodes.RECORD_TOO_LARGE)) return false;
    const [before, now] = [tooLargeAt, position()];
    tooLargeAt = now;
    return now !== before;
  };
}

/** What Kafka's client throws without a code of ours is its business with the brokers: a new session tries again. */
function isRetriable(error: unknown): boolean {
  // A deleted topic is made and filled again by the next session, and a broker may not know a new one yet.
  if (error instanceof TailwaterError) return error.retriable || error.code === errorCodes.TOPIC_MISSING;
  return isRetriableMongoError(error) || (error instanceof Error && error.name.startsWith('KafkaJS'));
}
