// `consumer replay`: has a target get again what its group has applied, from some point on.
import {
  type Command,
  checkKafka,
  compileNamespaceRules,
  createKafka,
  dryRunOption,
  errorCodes,
  formatCount,
  kafkaConnection,
  list,
  option,
  renderTable,
  TailwaterError,
  text,
  toggle,
} from '@tailwater/runtime';
import { isTopicPrefix } from '@tailwater/schema';
import { formatCommitMetadata, parseCommitMetadata } from '../commit/freshness.js';
import { assertNoMembers } from '../subscribe/kafka-groups.js';
import { moveOffsets, type PlannedReplay, planReplay, type ReplayFrom } from '../subscribe/kafka-replay.js';
import { includedTopics } from '../subscribe/kafka-topics.js';
import { kafkaOptions, targetOptions } from './options.js';
import { targetName } from './target-name.js';

const options = {
  target: targetOptions.target,
  name: targetOptions.name,
  ...kafkaOptions,
  namespace: option(list().default([]), {
    group: 'Which',
    describe: 'Namespaces to replay, db.collection with * as wildcard, as they are called in the source; all when none is named',
  }),
  from: option(text(), { group: 'Which', describe: 'beginning, a time such as 2026-01-31T12:00:00Z, or an offset' }),
  dryRun: dryRunOption,
  json: option(toggle(), { group: 'Output', describe: 'Print JSON instead of a table' }),
} as const;

export const replayCommand: Command<typeof options> = {
  name: 'replay',
  summary: 'Apply changes to a target again, from the beginning or from a point in time',
  description:
    'Moves the offsets of the target’s group back; the next `consumer start` applies everything from there. Applying again is harmless, and makes a target whole that was emptied by hand. No consumer of the target may run meanwhile. Offsets are never moved forward.',
  options,
  examples: [
    ["$0 replay --target es --prefix tw --namespace 'shop.*' --from beginning --dry-run", 'what it would do'],
    ['$0 replay --target es --prefix tw --from 2026-01-31T12:00:00Z', 'everything that was published since'],
  ],
  async run(given, { stdout, logger, signal }) {
    if (!isTopicPrefix(given.prefix)) throw new TailwaterError(errorCodes.BAD_TOPIC_PREFIX, { prefix: given.prefix });
    const from = parseFrom(given.from);
    const group = `${given.prefix}.${targetName(given.name ?? given.target)}`;
    const rules = compileNamespaceRules({ include: given.namespace });
    const kafka = createKafka(kafkaConnection(given, 'tailwater-replay'), logger, 'command');
    await checkKafka(kafka, { signal });
    const admin = kafka.admin();
    await admin.connect();
    try {
      const includes = (namespace: { database: string; collection: string }) => rules.includes(namespace.database, namespace.collection);
      const topics = includedTopics(await admin.listTopics(), { prefix: given.prefix, includes });
      if (topics.length === 0)
        throw new TailwaterError(errorCodes.NOTHING_TO_REPLAY, { prefix: given.prefix, namespaces: given.namespace.join(', ') });
      if (!given.dryRun) await assertNoMembers(admin, group, 'a replay');
      const plan = await planReplay(admin, group, topics, from);
      const offsets = plan.filter(({ committed }) => committed !== undefined).map((each) => toOffset(each, from));
      if (!given.dryRun && offsets.length > 0) await moveOffsets(kafka, group, offsets);
      stdout.write(given.json ? toJson(group, plan, given.dryRun) : toText(group, plan, given.dryRun));
    } finally {
      await admin.disconnect();
    }
  },
};

/** @throws TailwaterError TW1358 */
function parseFrom(text: string): ReplayFrom {
  if (text === 'beginning') return { kind: 'beginning' };
  if (/^\d{1,15}$/.test(text)) return { kind: 'offset', offset: Number(text) };
  const ms = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw new TailwaterError(errorCodes.REPLAY_NOT_UNDERSTOOD, { from: JSON.stringify(text) });
  return { kind: 'time', ms };
}

/** How fresh the group is does not change; deletes that it missed, and which target it had, do not matter to one that is filled from the beginning. */
function toOffset({ topic, partition, to, metadata }: PlannedReplay, from: ReplayFrom) {
  const note = parseCommitMetadata(metadata);
  if (note === undefined) return { topic, partition, offset: to };
  return {
    topic,
    partition,
    offset: to,
    metadata: formatCommitMetadata(from.kind === 'beginning' ? { freshAtMs: note.freshAtMs, topicId: note.topicId } : note),
  };
}

function toJson(group: string, plan: readonly PlannedReplay[], dryRun: boolean): string {
  const partitions = plan.map(({ topic, partition, now, to, end }) => ({ topic, partition, now, to, end }));
  return `${JSON.stringify({ group, moved: !dryRun, partitions }, null, 2)}\n`;
}

function toText(group: string, plan: readonly PlannedReplay[], dryRun: boolean): string {
  const topics = [...new Set(plan.map(({ topic }) => topic))];
  const rows = topics.map((topic) => {
    const ofTopic = plan.filter((each) => each.topic === topic);
    const sum = (value: (each: PlannedReplay) => number) => formatCount(ofTopic.reduce((total, each) => total + value(each), 0));
    return [topic, String(ofTopic.length), sum(({ now, to }) => now - to), sum(({ end, to }) => end - to)];
  });
  const table = renderTable(['topic', 'partitions', 'to go back', 'to apply then'], rows);
  const next = dryRun ? 'Nothing was changed: this was a dry run' : `The next \`consumer start\` of ${group} applies them`;
  return `${table}\n${next}\n`;
}
