// Settings of topics: https://kafka.apache.org/protocol#The_Messages_DescribeConfigs
import type { BrokerRequest } from './broker-connections.js';

const TOPIC = 2;

/** The value of one setting of each topic; those that may not be seen are left out. */
export const topicSetting = (topics: readonly string[], setting: string): BrokerRequest<ReadonlyMap<string, string>> => ({
  name: 'DescribeConfigs',
  apiKey: 32,
  version: 1,
  write: (to) =>
    to
      .array(topics, (topic) =>
        to
          .int8(TOPIC)
          .string(topic)
          .array([setting], (name) => to.string(name)),
      )
      .boolean(false),
  read(from) {
    from.int32();
    const values = new Map<string, string>();
    from.array(() => {
      from.int16();
      from.string();
      from.int8();
      const topic = from.string() ?? '';
      from.array(() => {
        const name = from.string();
        const value = from.string();
        from.boolean(); // read only
        from.int8(); // where it comes from
        from.boolean(); // sensitive
        from.array(() => [from.string(), from.string(), from.int8()]);
        if (name === setting && value !== null) values.set(topic, value);
      });
    });
    return values;
  },
});
