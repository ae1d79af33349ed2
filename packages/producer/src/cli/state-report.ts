// What the status server says about a running producer.
import { formatDuration, type Health, type PeerWatch, type StallWatch, systemClock, type WorkSeen } from '@tailwater/runtime';
import type { SnapshotReport } from '../backfill/snapshot/snapshot-report.js';
import type { CommitPointWatch } from '../headroom/commit-point-watch.js';
import type { HeadroomWatch } from '../headroom/headroom-watch.js';
import type { ProducerMetrics } from '../metrics/producer-metrics.js';
import type { ProducerState } from '../session/producer-state.js';
import type { MongoSource } from '../source/mongo/connect.js';
import type { SourceHealth } from '../source/mongo/source-health.js';

export interface PeerWatches {
  readonly state: ProducerState;
  readonly metrics: ProducerMetrics;
  readonly report: SnapshotReport;
  readonly health: SourceHealth;
  readonly commitPoint: CommitPointWatch;
  readonly headroom: HeadroomWatch;
  readonly kafka: PeerWatch;
  /** Whether the tail moves while the source is ahead of it. */
  readonly stall: StallWatch;
}

interface SourceTrouble {
  readonly reason: string;
  readonly seconds: number;
}

interface Readable extends Pick<PeerWatches, 'state'> {
  readonly health: Pick<SourceHealth, 'trouble'>;
  readonly commitPoint: Pick<CommitPointWatch, 'ageSeconds' | 'heldBack'>;
  readonly headroom: Pick<HeadroomWatch, 'last'>;
  readonly kafka: Pick<PeerWatch, 'reason'>;
  readonly stall: Pick<StallWatch, 'forMs'>;
}

/** A transaction that Kafka has had for longer, in milliseconds, is stuck. */
const STUCK_MS = 10_000;
/** MongoDB, asked every second, has not answered for longer: in seconds, less than the log waits for an election. */
const SILENT_S = 8;
/** What may still be written to the oplog before it passes the checkpoint, in percent: with less the producer is about to lose its place. */
const HEADROOM_FLOOR = 10;

/** Ready: what is written is published, or the producer stands by and could take over. */
export function readiness({ state, health, commitPoint, headroom, kafka, stall }: Readable): Health {
  const isStandby = state.phase === 'standby';
  const trouble = mongoTrouble({ health, commitPoint });
  const mongoReason = trouble && `MongoDB cannot be read: ${trouble.reason}`;
  const reasons = [kafka.reason, mongoReason, ...(isStandby ? [] : workReasons({ state, commitPoint, headroom }))];
  const told = reasons.filter((reason) => reason !== undefined);
  if (told.length > 0) return { ready: false, reasons: told };
  if (isStandby) return { ready: true, isStandby, reasons: [] };
  const { forMs } = stall;
  if (forMs === undefined) return { ready: true, reasons: [] };
  return { ready: false, reasons: [`nothing was published for ${duration(forMs)}, though there is something to publish`] };
}

/** Why MongoDB cannot be read, and for how many seconds: readers say so as soon as they fail, and one that only waits says nothing. */
function mongoTrouble({ health, commitPoint }: Pick<Readable, 'health' | 'commitPoint'>): SourceTrouble | undefined {
  const { trouble } = health;
  if (trouble !== undefined) return { reason: trouble.reason, seconds: Math.round((systemClock.monotonic() - trouble.sinceMs) / 1000) };
  const { ageSeconds } = commitPoint;
  return ageSeconds < SILENT_S ? undefined : { reason: `no member has answered for ${formatDuration(ageSeconds)}`, seconds: ageSeconds };
}

/** What hinders the one that leads. */
function workReasons({ state, commitPoint, headroom }: Pick<Readable, 'state' | 'commitPoint' | 'headroom'>): (string | undefined)[] {
  const { publishingMs = 0 } = state.session ?? {};
  const { leftPercent } = headroom.last ?? { leftPercent: null };
  return [
    state.phase === 'running' ? undefined : (state.lastError ?? `the pipeline is ${state.phase}`),
    publishingMs < STUCK_MS ? undefined : `Kafka has not committed what was sent to it ${duration(publishingMs)} ago`,
    commitPoint.heldBack?.reason,
    leftPercent === null || leftPercent >= HEADROOM_FLOOR
      ? undefined
      : `only ${leftPercent} % of the oplog are left before it passes the checkpoint: what is behind it then can no longer be read`,
  ];
}

/** Whether MongoDB answers, as `tailwater_up` says it. */
export function isMongoUp(sights: Pick<Readable, 'health' | 'commitPoint'>): boolean {
  return mongoTrouble(sights) === undefined;
}

/** An idle shard writes a no-op every ten seconds; until then its change stream is behind a cluster time that others have moved on. In seconds. */
const IDLE_SHARD_S = 20;

/** How far the tail has come, and whether the source is ahead of it. */
export function publishedOf(
  { phase, session }: Pick<ProducerState, 'phase' | 'session'>,
  commitPoint: Pick<CommitPointWatch, 'lagSeconds'>,
  isMongos: boolean,
): WorkSeen {
  const isAtWork = phase === 'running' && session?.paused.tail === false;
  const behindS = isAtWork ? (commitPoint.lagSeconds(session.position) ?? 0) : 0;
  return { isWaiting: behindS > (isMongos ? IDLE_SHARD_S : 0), done: String(session?.position) };
}

const duration = (ms: number): string => formatDuration(ms / 1000);

/** No server is asked for it, so that it can be had whatever is down: what the watches saw last has its age. */
export function describeState(sights: PeerWatches, source: MongoSource): object {
  const { state, metrics, report, commitPoint, headroom } = sights;
  const { ready, reasons } = readiness(sights);
  const { session } = state;
  const position = session?.position;
  return {
    phase: state.phase,
    ready,
    reasons,
    replicaSet: source.replicaSet,
    mongodb: source.version,
    position: position?.toString() ?? null,
    lagSeconds: commitPoint.lagSeconds(position) ?? null,
    heldBackSeconds: commitPoint.heldBackSeconds,
    source: {
      answeredSecondsAgo: commitPoint.ageSeconds,
      trouble: mongoTrouble(sights) ?? null,
    },
    oplog: headroom.last ?? null,
    counts: metrics.counts(),
    snapshot: state.phase === 'standby' ? null : { totals: report.totals(), collections: report.collections() },
    paused: session?.paused ?? null,
    sweeps: session?.sweeps ?? [],
    quarantine: session?.quarantine ?? [],
    gap: state.gap ?? null,
    lastError: state.lastError ?? reasons[0] ?? null,
  };
}
