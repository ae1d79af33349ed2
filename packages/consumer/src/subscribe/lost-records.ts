// A partition whose log does not hold the place to read next any more, or holds other records before it than were read.
import {
  type Broker,
  EARLIEST,
  ERROR,
  errorCodes,
  type FetchedPartition,
  LATEST,
  type Logger,
  listOffsets,
  TailwaterError,
} from '@tailwater/runtime';
import { divergence, type ReadingPoint } from './epoch-history.js';
import type { FetchState } from './fetch-positions.js';
import type { TopicPartition } from './subscription.js';

/** - `deleted`: the log begins behind the place
 *  - `cut`: it ended before the place, and may have grown since */
export interface LostRecords {
  readonly kind: 'deleted' | 'cut';
  readonly point: ReadingPoint;
  /** Where the log ends now. */
  readonly end: number;
}

/** What the answer says; undefined when the place is still there. */
export function lostBefore({ diverging, logStart, highWatermark: end }: FetchedPartition, { epochs }: FetchState): LostRecords | undefined {
  if (diverging === undefined) return undefined;
  const point = divergence(epochs, diverging);
  return { kind: 'cut', point: point.offset < logStart ? { offset: logStart, epochs: [] } : point, end };
}

/** Where to read on after the leader said that it has not got the place; undefined when that cannot be told now. */
export async function lostAt(broker: Broker, { topic, partition, position, epochs }: FetchState): Promise<LostRecords | undefined> {
  const ends: number[] = [];
  for (const time of [EARLIEST, LATEST]) {
    const [listed] = await broker.send(listOffsets([{ topic, partition }], time));
    if (listed === undefined || listed.error !== ERROR.NONE) return undefined; // It is asked for again, and refused again.
    ends.push(listed.offset);
  }
  const [low, end] = ends as [number, number];
  const point = { offset: low, epochs: [] };
  if (position < low) return { kind: 'deleted', point, end };
  // A leader that knows no epoch as high as the one that was read refuses even what its log holds.
  return position > end || epochs.length > 0 ? { kind: 'cut', point, end } : undefined;
}

/** Tells of a topic once for all its partitions. */
const TOLD_FOR_MS = 600_000;

export class LostRecordsReport {
  readonly #logger: Logger;
  readonly #toldAtMs = new Map<string, number>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  tell({ topic, partition }: TopicPartition, position: number, { kind, point }: LostRecords): void {
    const place = { topic, partition, position, readOn: point.offset };
    if (kind === 'deleted') {
      this.#logger.warn(place, 'Records were deleted from a topic before they were read: reading on from where it begins now');
      return;
    }
    const { code, message, hint } = new TailwaterError(errorCodes.RECORDS_LOST_BY_KAFKA, { topic, from: point.offset, to: position });
    const nowMs = performance.now();
    const isTold = nowMs - (this.#toldAtMs.get(topic) ?? Number.NEGATIVE_INFINITY) < TOLD_FOR_MS;
    this.#toldAtMs.set(topic, nowMs);
    if (isTold) this.#logger.info({ code, ...place }, message);
    else this.#logger.warn({ code, ...place }, `${message}. ${hint}`);
  }
}
