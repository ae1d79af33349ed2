// Settings of topics that exist, many in a request.
import kafkajs, { type Admin } from 'kafkajs';
import type { DescribedTopic } from './setting-rules.js';

// kafkajs is CommonJS, and Node finds only some of its exports by name.
const { ConfigResourceTypes } = kafkajs;

/** Topics whose settings one request asks for. */
const DESCRIBED_AT_ONCE = 250;

/** In the order in which they were asked for. @throws kafkajs's errors */
export async function describeTopics(
  admin: Admin,
  topics: readonly Omit<DescribedTopic, 'settings'>[],
  configNames: readonly string[],
): Promise<DescribedTopic[]> {
  const described: DescribedTopic[] = [];
  for (let from = 0; from < topics.length; from += DESCRIBED_AT_ONCE) {
    const part = topics.slice(from, from + DESCRIBED_AT_ONCE);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: part.map(({ topic }) => ({ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [...configNames] })),
    });
    const settings = new Map(
      resources.map(({ resourceName, configEntries }) => [
        resourceName,
        new Map(configEntries.map(({ configName, configValue }) => [configName, configValue])),
      ]),
    );
    described.push(...part.map(({ topic, replicas }) => ({ topic, replicas, settings: settings.get(topic) ?? new Map<string, string>() })));
  }
  return described;
}
