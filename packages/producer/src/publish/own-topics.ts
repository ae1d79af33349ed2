// The topics that belong to no namespace: checkpoints and signals.
import type { KafkaClient, Logger } from '@tailwater/runtime';
import { checkpointTopicName, signalsTopicName } from '@tailwater/schema';
import { CHECKPOINT_LIMITS, keepSmall, SIGNALS_LIMITS } from './kafka-small-topics.js';
import { KafkaTopics, type TopicSettings } from './kafka-topics.js';
import { TopicList } from './topic-list.js';
import type { TopicAdvice } from './topic-settings.js';

/** Creates those that do not exist, and makes small those of an earlier release. */
export async function ensureOwnTopics(kafka: KafkaClient, settings: TopicSettings, advice: TopicAdvice, logger: Logger): Promise<void> {
  const [checkpoints, signals] = [checkpointTopicName(settings.prefix), signalsTopicName(settings.prefix)];
  const [admin, list] = [kafka.admin(), new TopicList(kafka)];
  try {
    await admin.connect();
    const topics = new KafkaTopics({ admin, list, brokers: kafka.brokers }, settings, { advice });
    await topics.ensureTopic(checkpoints, 1, CHECKPOINT_LIMITS);
    await topics.ensureLog(signals);
    await keepSmall(kafka, admin, checkpoints, CHECKPOINT_LIMITS, logger);
    await keepSmall(kafka, admin, signals, SIGNALS_LIMITS, logger);
  } finally {
    list.close();
    await admin.disconnect();
  }
}
