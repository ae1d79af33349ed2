// `consumer status`: how far each target's group is, whether or not a consumer runs.
import {
  type Command,
  checkKafka,
  createKafka,
  errorCodes,
  formatCount,
  formatDuration,
  kafkaConnection,
  option,
  renderTable,
  TailwaterError,
  toggle,
} from '@tailwater/runtime';
import { deadLetterTopicName, isTopicPrefix } from '@tailwater/schema';
import { parseCommitMetadata } from '../commit/freshness.js';
import { type DeadLetterCount, DeadLetterCounter } from '../dead-letters/dead-letter-counter.js';
import { type GroupReport, readGroups } from '../subscribe/kafka-groups.js';
import { kafkaOptions } from './options.js';

const options = {
  ...kafkaOptions,
  json: option(toggle(), { group: 'Output', describe: 'Print JSON instead of a table' }),
} as const;

/** A dead-letter topic that takes longer to read is told as a bound. */
const COUNT_LIMIT_MS = 15_000;

/** The dead letters are null when the user may not read them. */
type Report = GroupReport & { readonly deadLetters: DeadLetterCount | null };

export const statusCommand: Command<typeof options> = {
  name: 'status',
  summary: 'Show the consumer groups: what they have applied, how much is left, and what was refused',
  options,
  examples: [
    ['$0 status --kafka 127.0.0.1:9092 --prefix tw', 'a table'],
    ['$0 status --prefix tw --json', 'for a script'],
  ],
  async run(given, { stdout, logger, signal }) {
    if (!isTopicPrefix(given.prefix)) throw new TailwaterError(errorCodes.BAD_TOPIC_PREFIX, { prefix: given.prefix });
    const kafka = createKafka(kafkaConnection(given, 'tailwater-status'), logger, 'command');
    await checkKafka(kafka, { signal });
    const count = async (report: GroupReport): Promise<Report> => {
      const topic = deadLetterTopicName(given.prefix, report.group.slice(given.prefix.length + 1));
      try {
        return { ...report, deadLetters: await new DeadLetterCounter(kafka, topic).count(COUNT_LIMIT_MS, signal) };
      } catch (error) {
        signal.throwIfAborted();
        logger.warn({ err: error, topic }, 'The dead letters cannot be counted');
        return { ...report, deadLetters: null };
      }
    };
    const groups = await Promise.all((await readGroups(kafka, given.prefix, freshAt)).map(count));
    stdout.write(given.json ? `${JSON.stringify({ prefix: given.prefix, groups }, null, 2)}\n` : toTable(given.prefix, groups));
  },
};

const freshAt = (metadata: string | null): number | undefined => parseCommitMetadata(metadata)?.freshAtMs;

/** From what the group has to what was published last. */
function formatBehind(lag: number | null, sinceMs: number | null): string {
  if (lag === 0) return '0 s';
  return sinceMs === null ? '-' : formatDuration(Math.max(0, (Date.now() - sinceMs) / 1000));
}

function toTable(prefix: string, groups: readonly Report[]): string {
  if (groups.length === 0)
    return `No consumer group of the prefix ${prefix} has committed anything yet: \`consumer start\` has not run with it\n`;
  const rows = groups.flatMap(({ group, state, members, topics, deadLetters }) =>
    topics.map(({ topic, partitions, committed, end, lag, behindSinceMs }, index) => [
      index === 0 ? group : '',
      index === 0 ? `${state.toLowerCase()}, ${members}` : '',
      topic,
      String(partitions),
      formatCount(committed),
      end === null ? '-' : formatCount(end),
      lag === null ? '-' : formatCount(lag),
      formatBehind(lag, behindSinceMs),
      index === 0 ? formatDeadLetters(deadLetters) : '',
    ]),
  );
  return `${renderTable(['group', 'state, members', 'topic', 'partitions', 'committed', 'end', 'lag', 'behind', 'dead letters'], rows)}\n`;
}

function formatDeadLetters(deadLetters: DeadLetterCount | null): string {
  if (deadLetters === null) return '-';
  return deadLetters.exact ? formatCount(deadLetters.count) : `≤ ${formatCount(deadLetters.count)}`;
}
