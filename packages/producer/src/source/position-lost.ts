// The source no longer holds the place to go on from (promise F): what was written behind it cannot be read one by one any more.
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import type { Position } from '@tailwater/schema';

export class PositionLost extends TailwaterError {
  readonly position: Position;
  /** The oldest entry that is there, where the source can say. */
  readonly oldest: Position | undefined;

  private constructor(
    code: typeof errorCodes.OPLOG_GAP | typeof errorCodes.CHANGE_STREAM_GAP | typeof errorCodes.REMOVED_SHARD_GAP,
    position: Position,
    oldest: Position | undefined,
    cause: unknown,
    shard?: string,
  ) {
    const seconds = oldest === undefined ? 0 : Math.max(0, oldest.t - position.t);
    super(code, { position: position.toString(), oldest: String(oldest), seconds, ...(shard === undefined ? {} : { shard }) }, { cause });
    this.position = position;
    this.oldest = oldest;
  }

  static fromOplog(position: Position, oldest: Position): PositionLost {
    return new PositionLost(errorCodes.OPLOG_GAP, position, oldest, undefined);
  }

  static fromChangeStream(position: Position, cause: unknown): PositionLost {
    return new PositionLost(errorCodes.CHANGE_STREAM_GAP, position, undefined, cause);
  }

  static fromRemovedShard(shard: string, position: Position, cause: unknown): PositionLost {
    return new PositionLost(errorCodes.REMOVED_SHARD_GAP, position, undefined, cause, shard);
  }
}
