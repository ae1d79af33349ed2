// A place in a change stream: the position that it shares with the oplog, and the resume token that only the server reads.
import { Position } from '@tailwater/schema';

/**
 * Maintained invariant: `t:i` says that all of the oplog entry's events are behind it, as with an oplog; `t:i:n` that the
 * first `n` operations are, and that others may follow: a reply can end inside a transaction.
 */
export class StreamPosition extends Position {
  /** The token as the BSON document that the server gave. */
  readonly resumeToken: Buffer;

  constructor(t: number, i: number, ordinal: number, resumeToken: Buffer) {
    super(t, i, ordinal);
    // A copy: the token is kept for longer than the reply that it stands in.
    this.resumeToken = Buffer.from(resumeToken);
  }
}

/** The resume token of a position that came from a change stream; undefined when an oplog's. */
export const resumeTokenOf = (position: Position): Buffer | undefined =>
  position instanceof StreamPosition ? position.resumeToken : undefined;
