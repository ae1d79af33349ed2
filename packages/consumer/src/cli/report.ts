// What a running consumer says about itself: the body of /status, whether it is ready, and a line in the log every now and then.
import {
  formatDuration,
  type Health,
  type Logger,
  type PeerWatch,
  type Service,
  type StallWatch,
  sleep,
  type WorkSeen,
} from '@tailwater/runtime';
import { formatNamespace } from '@tailwater/schema';
import { type TargetHealth, waitingError } from '../apply/target-health.js';
import type { DeadLetterGauge } from '../dead-letters/dead-letter-gauge.js';
import type { Pipeline } from '../pipeline.js';
import { topicsDenied } from '../subscribe/denied-topics.js';
import { noLeader } from '../subscribe/leaderless.js';
import type { Target } from '../targets/target.js';
import type { AppliedWatch } from '../watermark/applied-watch.js';

const REPORT_MS = 60_000;

export interface ConsumerIdentity {
  readonly group: string;
  readonly target: string;
  /** Without its password. */
  readonly url: string;
}

export function describeConsumer(
  identity: ConsumerIdentity,
  pipeline: Pipeline,
  health: TargetHealth,
  deadLetters: Pick<DeadLetterGauge, 'last'>,
  { ready, reasons }: Health,
  applied: Pick<AppliedWatch, 'watermarks' | 'lagSeconds' | 'reason'>,
): object {
  const partitions = [...pipeline.partitions].map(({ topic, partition, next, highWatermark, lag }) => {
    return { topic, partition, applied: next, end: highWatermark, lag };
  });
  const missedDeletes = missedIn(pipeline);
  const { failure } = health;
  const { isMember, rebalances, lateAnswers, elsewhere, nobodys, leaderless, denied } = pipeline.group;
  return {
    group: identity.group,
    ready,
    reasons,
    membership: { member: isMember, rebalances, lateAnswers },
    target: {
      kind: identity.target,
      url: identity.url,
      dropped: droppedBy(pipeline.target),
      failure: failure === undefined ? null : { ...failure, since: new Date(failure.sinceMs).toISOString() },
      waiting: pipeline.waiting.map(({ namespace, code, reason, of, waitedMs, changes }) => {
        const since = new Date(Date.now() - waitedMs).toISOString();
        return { namespace: formatNamespace(namespace), code, reason, of, since, changes };
      }),
    },
    // Of the whole group; null while that is not known.
    lag: pipeline.lag ?? null,
    // From what the whole group has applied to the newest commit in MongoDB; null while that is not known, and why.
    lagSeconds: applied.lagSeconds ?? null,
    watermarkUnknown: applied.reason ?? null,
    watermarks: applied.watermarks,
    // Partitions that other processes own, or that have no owner.
    elsewhere: elsewhere ?? null,
    // Of those, what no process has had for long.
    unowned: nobodys === undefined ? null : { partitions: nobodys.partitions, since: new Date(Date.now() - nobodys.forMs).toISOString() },
    // Partitions of this process that no broker leads: nothing is read of them until one does.
    leaderless: leaderless.map(({ topic, partition, forMs }) => ({ topic, partition, since: new Date(Date.now() - forMs).toISOString() })),
    // Topics that Kafka does not let this process read.
    denied,
    // Records that a later release wrote, or whose schema is not known here: their partitions wait.
    unreadable: pipeline.unreadable.map(({ topic, partition, offset, error, forMs }) => {
      return { topic, partition, offset, code: error.code, reason: error.message, since: new Date(Date.now() - forMs).toISOString() };
    }),
    // In step, and sure of it: a group that missed deletes is neither until its target is filled again.
    inSync: pipeline.isInStep && missedDeletes.length === 0,
    missedDeletes,
    // Of the target, whichever process put them aside; null while that is not known.
    deadLetters: deadLetters.last ?? null,
    counts: { ...pipeline.tally },
    buffered: pipeline.buffered,
    partitions,
  };
}

/** What the target could not take of documents that it did take. */
function droppedBy({ droppedValues = 0, droppedFields = 0, droppedFieldNames = [] }: Target): object {
  return { values: droppedValues, fields: droppedFields, fieldNames: droppedFieldNames };
}

/** What looks at the servers, and at the work, while the consumer runs. */
export interface Watches {
  readonly kafka: Pick<PeerWatch, 'reason'>;
  /** The target's. */
  readonly server: Pick<PeerWatch, 'reason'>;
  readonly stall: Pick<StallWatch, 'forMs'>;
}

/** More are not named. */
const MAX_REASONS = 10;

/**
 * Ready: a member of the group, every partition that it was given has a leader, is read and holds nothing that it cannot read, and the target takes changes, of every namespace. Without partitions a consumer is
 * ready too, as a member that others make superfluous.
 */
export function readiness(
  { failure }: Pick<TargetHealth, 'failure'>,
  { waiting, target, group, unreadable }: Pick<Pipeline, 'waiting' | 'target' | 'group' | 'unreadable'>,
  brokers: string,
  { kafka, server, stall }: Watches,
): Health {
  const reasons = kafka.reason === undefined ? [] : [kafka.reason];
  if (failure !== undefined) reasons.push(`${failure.code} ${failure.reason}`);
  else if (server.reason !== undefined) reasons.push(server.reason);
  if (!group.isMember) reasons.push(`not in the consumer group for ${Math.round((performance.now() - group.sinceMs) / 1000)} s`);
  if (group.leaderless.length > 0) reasons.push(noLeader(brokers, group.leaderless).message);
  if (group.denied.length > 0) reasons.push(topicsDenied(brokers, group.denied).message);
  if (group.late !== undefined) {
    const { partitions, forMs } = group.late;
    reasons.push(
      `${partitions} partitions could not be begun for ${Math.round(forMs / 1000)} s: no broker tells where the group stands in them`,
    );
  }
  if (group.nobodys !== undefined) {
    const { partitions, forMs } = group.nobodys;
    reasons.push(
      `${partitions} partitions of the group’s topics have belonged to no process for ${Math.round(forMs / 1000)} s: the process that leads the group shares them out to nobody; do all have the same --include and release?`,
    );
  }
  for (const { error } of unreadable.slice(0, MAX_REASONS)) reasons.push(error.message);
  if (unreadable.length > MAX_REASONS) reasons.push(`and ${unreadable.length - MAX_REASONS} more partitions wait at such records`);
  // What a target says of documents may repeat them.
  const told = waiting.slice(0, MAX_REASONS).map(({ namespace, ...refusal }) => {
    const said = refusal.of === 'place' ? refusal : { ...refusal, reason: 'see /status' };
    return waitingError(target.kind, namespace, said).message;
  });
  if (waiting.length > MAX_REASONS) told.push(`and ${waiting.length - MAX_REASONS} more namespaces wait`);
  const all = [...reasons, ...told];
  const { forMs } = stall;
  // What is known to stand still has its reason above.
  if (all.length === 0 && forMs !== undefined) all.push(`nothing was committed for ${formatDuration(forMs / 1000)}, though records wait`);
  return { ready: all.length === 0, reasons: all };
}

/** How much of its partitions this process has committed, and whether more is to be. */
export function committedOf({ partitions }: Pick<Pipeline, 'partitions'>): WorkSeen {
  let [isWaiting, done] = [false, 0];
  for (const { committed, begun, highWatermark } of partitions) {
    done += committed ?? begun;
    isWaiting ||= (committed ?? begun) < highWatermark;
  }
  return { isWaiting, done };
}

/** Logs figures every minute in which something was applied: of a target that takes nothing its health tells. */
export function reporter(pipeline: Pipeline, logger: Logger): Service {
  return {
    async run(signal) {
      let before = 0;
      while (!signal.aborted) {
        const began = performance.now();
        await sleep(REPORT_MS, signal);
        const { applied, superseded, read } = pipeline.tally;
        const ended = applied + superseded;
        if (signal.aborted || ended === before) continue;
        const perSecond = Number(((ended - before) / ((performance.now() - began) / 1000)).toFixed(1));
        logger.info({ perSecond, read, applied, superseded, lag: pipeline.lag ?? null }, 'Applying changes');
        before = ended;
      }
    },
  };
}

/** By topic, when deletes may have been missed. */
function missedIn(pipeline: Pipeline): { topic: string; from: string | null; to: string }[] {
  const spans = new Map<string, { fromMs: number; toMs: number }>();
  for (const { topic, missed } of pipeline.partitions) {
    if (missed === undefined) continue;
    const { fromMs, toMs } = spans.get(topic) ?? missed;
    spans.set(topic, { fromMs: Math.min(fromMs, missed.fromMs), toMs: Math.max(toMs, missed.toMs) });
  }
  return [...spans].map(([topic, { fromMs, toMs }]) => ({
    topic,
    from: fromMs === 0 ? null : new Date(fromMs).toISOString(),
    to: new Date(toMs).toISOString(),
  }));
}
