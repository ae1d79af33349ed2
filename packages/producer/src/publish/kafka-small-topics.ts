// The settings of the topics that every start reads: in Kafka's default segments of 1 GiB or seven days nothing is compacted for days, and
// the marker of each transaction stays as well. Topics that an earlier release made are corrected.
import { alterTopic, type KafkaClient, type Logger } from '@tailwater/runtime';
import kafkajs, { type Admin } from 'kafkajs';

const { ConfigResourceTypes } = kafkajs;

const MINUTE_MS = 60_000;
/** Above what one batch may have. */
const SEGMENT_BYTES = 32 * 1024 * 1024;

/** Each is the most that is good for the topic: who sets less knows why. */
type Limits = Readonly<Record<string, string>>;

/** A segment can be compacted once it is full or ten minutes old; markers and tombstones go an hour later, which no reader needs. */
export const CHECKPOINT_LIMITS: Limits = {
  'segment.bytes': String(SEGMENT_BYTES),
  'segment.ms': String(10 * MINUTE_MS),
  'min.cleanable.dirty.ratio': '0.01',
  'max.compaction.lag.ms': String(10 * MINUTE_MS),
  'delete.retention.ms': String(60 * MINUTE_MS),
};

/** What is too old goes with its whole segment. */
export const SIGNALS_LIMITS: Limits = { 'segment.bytes': String(SEGMENT_BYTES), 'segment.ms': String(24 * 60 * MINUTE_MS) };

/** Lowers the settings of a topic that are above their limits, or says with which command to do it. */
export async function limitTopicSize(kafka: KafkaClient, admin: Admin, topic: string, limits: Limits, logger: Logger): Promise<void> {
  try {
    const names = Object.keys(limits);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: names }],
    });
    const actual = new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
    const settings = Object.fromEntries(Object.entries(limits).filter(([name, limit]) => Number(actual.get(name) ?? 0) > Number(limit)));
    if (Object.keys(settings).length === 0) return;
    await alterTopic(kafka, topic, settings);
    logger.info({ topic, settings }, 'Reduced a topic of an earlier release, so that it is read quickly');
  } catch (error) {
    const settings = Object.entries(limits).map(([name, limit]) => `${name}=${limit}`);
    const command = `kafka-configs.sh --bootstrap-server <broker> --alter --entity-type topics --entity-name ${topic} --add-config ${settings.join(',')}`;
    logger.warn({ err: error, topic, command }, `The topic ${topic} may grow large, and its settings could not be lowered: ${command}`);
  }
}
