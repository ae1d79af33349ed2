// The topics that belong to no namespace: checkpoints, signals and dead letters.
import {
  Backoff,
  errorCodes,
  type KafkaClient,
  type Logger,
  Outage,
  systemClock,
  TailwaterError,
  type TopicAdvice,
} from '@tailwater/runtime';
import { checkpointTopicName, deadLetterTopicName, signalsTopicName } from '@tailwater/schema';
import { CHECKPOINT_LIMITS, limitTopicSize, SIGNALS_LIMITS } from './kafka-small-topics.js';
import { KafkaTopics, type TopicSettings } from './kafka-topics.js';
import { TopicList } from './topic-list.js';
import { DEAD_LETTERS, SIGNALS } from './topic-settings.js';

const PAUSE = { minMs: 500, maxMs: 5_000 };
const TEXTS = {
  begins: 'The producer’s own topics cannot be created, trying again until they can',
  lasts: 'The producer’s own topics still cannot be created',
  over: 'The producer’s own topics are there',
};

/**
 * Creates those that do not exist, but for that of letters, which the first one makes; and makes small those of an earlier release. Waits for brokers that are
 * away, until the signal aborts.
 */
export async function ensureOwnTopics(
  kafka: KafkaClient,
  settings: TopicSettings,
  advice: TopicAdvice,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  const [backoff, outage] = [new Backoff(PAUSE), new Outage(TEXTS, logger, systemClock)];
  for (;;) {
    signal.throwIfAborted();
    try {
      await ensureOnce(kafka, settings, advice, logger);
      outage.recovered();
      return;
    } catch (error) {
      if (!(error instanceof TailwaterError) || error.code !== errorCodes.BROKERS_AWAY) throw error;
      outage.failed(error.message, { code: error.code, hint: error.hint });
      await backoff.pause(signal);
    }
  }
}

async function ensureOnce(kafka: KafkaClient, settings: TopicSettings, advice: TopicAdvice, logger: Logger): Promise<void> {
  const [checkpoints, signals] = [checkpointTopicName(settings.prefix), signalsTopicName(settings.prefix)];
  const [admin, list] = [kafka.admin(), new TopicList(kafka)];
  try {
    await admin.connect();
    const topics = new KafkaTopics({ admin, list, brokers: kafka.brokers }, settings, { advice });
    await topics.ensureTopic(checkpoints, 1, CHECKPOINT_LIMITS);
    await topics.ensureLog(signals, SIGNALS);
    await topics.compare(deadLetterTopicName(settings.prefix, 'producer'), DEAD_LETTERS);
    await limitTopicSize(kafka, admin, checkpoints, CHECKPOINT_LIMITS, logger);
    await limitTopicSize(kafka, admin, signals, SIGNALS_LIMITS, logger);
  } finally {
    list.close();
    await admin.disconnect();
  }
}
