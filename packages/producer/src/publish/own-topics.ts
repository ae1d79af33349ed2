// The topics that belong to no namespace: checkpoints, signals and dead letters.
import type { KafkaClient, Logger, TopicAdvice } from '@tailwater/runtime';
import { checkpointTopicName, deadLetterTopicName, signalsTopicName } from '@tailwater/schema';
import { CHECKPOINT_LIMITS, keepSmall, SIGNALS_LIMITS } from './kafka-small-topics.js';
import { KafkaTopics, type TopicSettings } from './kafka-topics.js';
import { TopicList } from './topic-list.js';
import { DEAD_LETTERS, SIGNALS } from './topic-settings.js';

/** Creates those that do not exist, but for that of letters, which the first one makes; and makes small those of an earlier release. */
export async function ensureOwnTopics(kafka: KafkaClient, settings: TopicSettings, advice: TopicAdvice, logger: Logger): Promise<void> {
  const [checkpoints, signals] = [checkpointTopicName(settings.prefix), signalsTopicName(settings.prefix)];
  const [admin, list] = [kafka.admin(), new TopicList(kafka)];
  try {
    await admin.connect();
    const topics = new KafkaTopics({ admin, list, brokers: kafka.brokers }, settings, { advice });
    await topics.ensureTopic(checkpoints, 1, CHECKPOINT_LIMITS);
    await topics.ensureLog(signals, SIGNALS);
    await topics.compare(deadLetterTopicName(settings.prefix, 'producer'), DEAD_LETTERS);
    await keepSmall(kafka, admin, checkpoints, CHECKPOINT_LIMITS, logger);
    await keepSmall(kafka, admin, signals, SIGNALS_LIMITS, logger);
  } finally {
    list.close();
    await admin.disconnect();
  }
}
