// `consumer status`: how far each target's group is, whether or not a consumer runs.
import { type Command, checkKafka, createKafka, formatCount, kafkaConnection, renderTable, TailwaterError } from '@tailwater/runtime';
import { isTopicPrefix } from '@tailwater/schema';
import { type GroupReport, readGroups } from '../subscribe/kafka-groups.js';
import { kafkaOptions } from './options.js';

const options = {
  ...kafkaOptions,
  json: { type: 'boolean', group: 'Output:', describe: 'Print JSON instead of a table', default: false },
} as const;

export const statusCommand: Command<typeof options> = {
  name: 'status',
  summary: 'Show the consumer groups: what they have applied, and how much is left',
  options,
  examples: [
    ['$0 status --kafka 127.0.0.1:9092 --prefix tw', 'a table'],
    ['$0 status --prefix tw --json', 'for a script'],
  ],
  async run(given, { stdout, logger, signal }) {
    if (!isTopicPrefix(given.prefix)) throw new TailwaterError('TW1013', { prefix: given.prefix });
    const kafka = createKafka(kafkaConnection(given, 'tailwater-status'), logger);
    await checkKafka(kafka, { signal });
    const groups = await readGroups(kafka, given.prefix);
    stdout.write(given.json ? `${JSON.stringify({ prefix: given.prefix, groups }, null, 2)}\n` : toTable(given.prefix, groups));
  },
};

function toTable(prefix: string, groups: readonly GroupReport[]): string {
  if (groups.length === 0)
    return `No consumer group of the prefix ${prefix} has committed anything yet: \`consumer start\` has not run with it\n`;
  const rows = groups.flatMap(({ group, state, members, topics }) =>
    topics.map(({ topic, partitions, committed, end, lag }, index) => [
      index === 0 ? group : '',
      index === 0 ? `${state.toLowerCase()}, ${members}` : '',
      topic,
      String(partitions),
      formatCount(committed),
      formatCount(end),
      formatCount(lag),
    ]),
  );
  return `${renderTable(['group', 'state, members', 'topic', 'partitions', 'committed', 'end', 'lag'], rows)}\n`;
}
