// `producer status`: where the checkpoint stands in the oplog, and how far the snapshots are, whether or not a producer runs.
import {
  type Command,
  checkKafka,
  createKafka,
  formatBytes,
  formatCount,
  formatDuration,
  kafkaConnection,
  option,
  renderTable,
  toggle,
} from '@tailwater/runtime';
import { checkpointTopicName, type Position } from '@tailwater/schema';
import type { Checkpoint, GapRecord } from '../checkpoint/checkpoint-record.js';
import { peekCheckpoint } from '../checkpoint/kafka-checkpoint-store.js';
import { type ProducerMember, readMembers } from '../election/kafka-members.js';
import { ownIdentity } from '../election/process-identity.js';
import { producerName } from '../election/producer-name.js';
import { measureHeadroom } from '../headroom/headroom.js';
import { connectSource } from '../source/mongo/connect.js';
import { newestMajorityPosition, type OplogWindow, readOplogWindow } from '../source/oplog/oplog-window.js';
import { sourceAccess, sourceOptions } from './options.js';

const options = {
  ...sourceOptions,
  json: option(toggle(), { group: 'Output', describe: 'Print JSON instead of a table' }),
} as const;

export const statusCommand: Command<typeof options> = {
  name: 'status',
  summary: 'Show who leads, the checkpoint, the oplog window and the progress of snapshots',
  options,
  examples: [
    ["$0 status --mongo 'mongodb://127.0.0.1:27017/?replicaSet=rs0' --prefix tw", 'a table'],
    ['$0 status --mongo "$MONGO_URI" --json', 'for a script'],
  ],
  async run(given, { stdout, logger }) {
    const source = await connectSource(given.mongo, given.source, sourceAccess(given));
    const kafka = createKafka(kafkaConnection(given, 'tailwater-status'), logger, 'command');
    try {
      await checkKafka(kafka);
      const location = { topic: checkpointTopicName(given.prefix), source: source.replicaSet };
      const [checkpoint, members, newest, window] = await Promise.all([
        peekCheckpoint(kafka, location),
        readMembers(kafka, producerName(given.prefix, source.replicaSet), ownIdentity()),
        newestMajorityPosition(source.client),
        // Neither a user without access to it nor a mongos can say.
        given.source === 'oplog' && !source.isMongos
          ? readOplogWindow(source.client)
          : readOplogWindow(source.client).catch(() => undefined),
      ]);
      const report = toReport(source.replicaSet, members, checkpoint, newest, window);
      stdout.write(given.json ? `${JSON.stringify(report, null, 2)}\n` : toTables(report, checkpoint));
    } finally {
      await source.client.close();
    }
  },
};

type Report = ReturnType<typeof toReport>;

/** Without access to the oplog nothing is known of its window. */
function toReport(
  replicaSet: string,
  producers: readonly ProducerMember[],
  checkpoint: Checkpoint,
  newest: Position,
  window: OplogWindow | undefined,
) {
  const { position } = checkpoint;
  return {
    replicaSet,
    producers,
    checkpoint:
      position === undefined ? null : { position: position.toString(), writtenAt: new Date(checkpoint.writtenAtMs).toISOString() },
    behindSeconds: position === undefined ? null : Math.max(0, newest.t - position.t),
    oplog:
      window === undefined
        ? null
        : {
            oldest: window.oldest.toString(),
            newest: window.newest.toString(),
            ...measureHeadroom(window, position, undefined),
          },
    paused: checkpoint.paused,
    snapshots: [...checkpoint.snapshots].map(([namespace, { state, documents, total }]) => ({ namespace, state, documents, total })),
    sweeps: [...checkpoint.sweeps].map(([namespace, { state, reason, tombstones }]) => ({ namespace, state, reason, tombstones })),
    gap: checkpoint.gap ?? null,
  };
}

function describeGap({ from, to, detectedAtMs, healedAtMs }: GapRecord): string {
  const outcome = healedAtMs === null ? 'being healed' : `healed ${new Date(healedAtMs).toISOString()}`;
  return `${from} to ${to}, found ${new Date(detectedAtMs).toISOString()}, ${outcome}`;
}

function toTables(report: Report, checkpoint: Checkpoint): string {
  const { oplog } = report;
  const rows: [string, string][] = [['replica set', report.replicaSet]];
  for (const { role, host, pid, startedAt } of report.producers) rows.push([role, `process ${pid} on ${host}, started ${startedAt}`]);
  if (report.producers.length === 0) rows.push(['leads', 'nobody: no producer runs']);
  if (report.checkpoint === null) rows.push(['checkpoint', 'none yet: `producer start` has not run with this prefix']);
  else {
    rows.push(['checkpoint', `${report.checkpoint.position}, written ${report.checkpoint.writtenAt}`]);
    rows.push(['behind the oplog', formatDuration(report.behindSeconds ?? 0)]);
    if (oplog !== null) {
      const headroom = oplog.headroomSeconds ?? 0;
      rows.push([
        'headroom',
        `${formatDuration(headroom)} from the oldest entry to the checkpoint, ${oplog.leftPercent} % left${headroom < 0 ? ': it has left the oplog, a gap' : ''}`,
      ]);
      if (oplog.secondsToLoss !== null) rows.push(['lost in', `${formatDuration(oplog.secondsToLoss)}, if it stood still`]);
    }
  }
  if (report.gap !== null) rows.push(['newest gap', describeGap(report.gap)]);
  rows.push([
    'oplog window',
    oplog === null
      ? 'unknown: it cannot be read from here'
      : `${formatDuration(oplog.windowSeconds)}${oplog.usedBytes === null ? '' : `, ${formatBytes(oplog.usedBytes)} of ${formatBytes(oplog.maxBytes ?? 0)}`}`,
  ]);
  if (typeof oplog?.burnBytesPerSecond === 'number') rows.push(['written to it', `${formatBytes(oplog.burnBytesPerSecond)}/s on average`]);
  if (typeof oplog?.note === 'string') rows.push(['note', oplog.note]);
  const { snapshots, tail } = checkpoint.paused;
  if (snapshots) rows.push(['paused', `${tail ? 'copies and the tail' : 'copies'}, until \`producer resume\``]);
  const tables = [renderTable(['source', ''], rows)];
  if (checkpoint.snapshots.size > 0) {
    const progress = report.snapshots.map(({ namespace, state, documents, total }) => [
      namespace,
      state,
      formatCount(documents),
      state === 'done' ? '100 %' : `${total === 0 ? 0 : Math.floor((documents * 100) / total)} %`,
    ]);
    tables.push(renderTable(['snapshot', 'state', 'documents', 'progress'], progress));
  }
  if (report.sweeps.length > 0) {
    const sweeps = report.sweeps.map(({ namespace, state, reason, tombstones }) => [namespace, state, reason, formatCount(tombstones)]);
    tables.push(renderTable(['sweep', 'state', 'after', 'tombstones'], sweeps));
  }
  return `${tables.join('\n')}\n`;
}
