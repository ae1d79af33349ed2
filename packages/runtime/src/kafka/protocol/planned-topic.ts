// What a topic would be like if it were made now: brokers tell it without making one. https://cwiki.apache.org/confluence/display/KAFKA/KIP-525
import type { BrokerRequest } from './broker-connections.js';

const TIMEOUT_MS = 30_000;

export interface PlannedTopic {
  readonly replicas: number;
  readonly settings: ReadonlyMap<string, string>;
}

/**
 * A topic of this name with the brokers' defaults; undefined when the broker does not tell.
 *
 * @param replicationFactor - -1 leaves it to the brokers
 */
export const plannedTopic = (topic: string, partitions: number, replicationFactor: number): BrokerRequest<PlannedTopic | undefined> => ({
  name: 'CreateTopics',
  apiKey: 19,
  version: 5,
  flexible: true,
  waitMs: TIMEOUT_MS,
  write: (to) =>
    to
      .unsignedVarint(2)
      .compactString(topic)
      .int32(partitions)
      .int16(replicationFactor)
      .unsignedVarint(1) // no replicas of ours
      .unsignedVarint(1) // no settings
      .noTags()
      .int32(TIMEOUT_MS)
      .boolean(true) // nothing is made
      .noTags(),
  read(from) {
    from.int32(); // throttle time
    const [planned] = from.compactArray(() => {
      from.compactString();
      const error = from.int16();
      from.compactString(); // why
      from.int32(); // partitions
      const replicas = from.int16();
      const settings = from.compactArray(() => {
        const setting = [from.compactString() ?? '', from.compactString() ?? ''] as const;
        from.boolean(); // read only
        from.int8(); // where it comes from
        from.boolean(); // sensitive
        from.skipTags();
        return setting;
      });
      from.skipTags();
      return error === 0 && replicas > 0 ? { replicas, settings: new Map(settings) } : undefined;
    });
    from.skipTags();
    return planned;
  },
});
