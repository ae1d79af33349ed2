// Copies small collections together: each is one chunk, and one transaction holds many of them. A transaction, and a wait for the tail,
// for each would make hundreds of collections take minutes.
import type { CheckpointMessage, SnapshotProgress, SnapshotRange } from '../../checkpoint/checkpoint-record.js';
import { bytesOf } from '../../source/large-reply.js';
import type { Pauses } from '../../writer/pauses.js';
import type { Window } from '../../writer/touched-keys.js';
import type { BackfillWriter, WindowRead } from '../backfill-writer.js';
import type { ChunkBudget, ChunkReservation } from './chunk-budget.js';
import type { Chunk } from './chunk-reader.js';
import type { CollectionCopy } from './collection-copy.js';
import type { RateLimit } from './rate-limit.js';
import { WHOLE } from './split-ranges.js';

/** So many bytes that were read are published before more is. */
const TOGETHER_BYTES = 4 * 1024 * 1024;

/** A range of a collection, for one worker. */
export interface CopyTask {
  readonly copy: CollectionCopy;
  readonly index: number;
}

export interface TogetherDependencies {
  readonly backfill: Pick<BackfillWriter, 'open' | 'close' | 'publish' | 'untilNear'>;
  readonly rate: RateLimit;
  readonly budget: ChunkBudget;
  readonly pauses: Pauses;
  /** Bytes that a chunk of the collection is expected to have. */
  readonly expectedBytes: (copy: CollectionCopy) => number;
  readonly read: (window: Window, range: SnapshotRange, signal: AbortSignal) => Promise<Chunk>;
  /** What the checkpoint says of a copy that has moved on. */
  readonly checkpointOf: (copy: CollectionCopy, moved: SnapshotProgress) => CheckpointMessage[];
  readonly onPublished: (copy: CollectionCopy) => void;
}

/** Copies collections that have nothing copied yet; returns those that are larger than a chunk, untouched. */
export async function copyTogether(deps: TogetherDependencies, tasks: readonly CopyTask[], signal: AbortSignal): Promise<CopyTask[]> {
  const [first] = tasks;
  if (first === undefined) return [];
  const reservation = await deps.budget.take(deps.expectedBytes(first.copy), signal);
  try {
    return await copyInto(reservation, deps, tasks, signal);
  } finally {
    reservation.release();
  }
}

async function copyInto(
  reservation: ChunkReservation,
  deps: TogetherDependencies,
  tasks: readonly CopyTask[],
  signal: AbortSignal,
): Promise<CopyTask[]> {
  const { backfill, rate, pauses } = deps;
  const larger: CopyTask[] = [];
  let read: WindowRead[] = [];
  let bytes = 0;
  const publish = async (): Promise<void> => {
    await backfill.publish(read, 'snapshot', signal);
    for (const { copy } of tasks) deps.onPublished(copy);
    read = [];
    bytes = 0;
  };
  for (const task of tasks) {
    const { copy, index } = task;
    signal.throwIfAborted();
    await pauses.untilResumed('snapshots', signal);
    await rate.untilAllowed(signal);
    await backfill.untilNear(signal);
    if (copy.isVoid) continue;
    const window = backfill.open(copy.namespace);
    const chunk = await deps.read(window, copy.range(index), signal);
    rate.took(chunk.documents.length);
    if (!(await isWhole(deps, window, chunk, signal))) {
      backfill.close(window);
      larger.push(task);
      continue;
    }
    read.push({ window, rows: chunk, checkpoint: () => deps.checkpointOf(copy, copy.finished(index, chunk.documents.length)) });
    bytes += bytesOf(chunk.documents);
    reservation.resize(bytes);
    if (bytes >= TOGETHER_BYTES) await publish();
  }
  if (read.length > 0) await publish();
  return larger;
}

/** Whether nothing is behind the chunk. What comes later the tail brings. */
async function isWhole({ read }: TogetherDependencies, window: Window, { lastId }: Chunk, signal: AbortSignal): Promise<boolean> {
  if (lastId === undefined) return true;
  const rest = await read(window, { ...WHOLE, lastId: lastId.toString('base64') }, signal);
  return rest.documents.length === 0;
}
