// Where in an oplog an event stands, and the version that follows from it (promise D: the same input, the same version).

const TEXT = /^(\d{1,10}):(\d{1,10})(?::(\d{1,10}))?$/;
const UINT32_MAX = 0xffff_ffff;

/**
 * The BSON timestamp of an oplog entry, and the ordinal of an operation inside the entry's transaction.
 * `t` is in seconds since the epoch, `i` counts entries within that second; both are unsigned 32-bit integers.
 */
export class Position {
  readonly t: number;
  readonly i: number;
  readonly ordinal: number;

  constructor(t: number, i: number, ordinal = 0) {
    this.t = t;
    this.i = i;
    this.ordinal = ordinal;
  }

  /** Reads what `toString` wrote; undefined when the text is not a position. */
  static parse(text: string): Position | undefined {
    const match = TEXT.exec(text);
    if (match === null) return undefined;
    const [t, i, ordinal] = [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
    return t > UINT32_MAX || i > UINT32_MAX || ordinal > UINT32_MAX ? undefined : new Position(t, i, ordinal);
  }

  /** `t:i`, or `t:i:ordinal` inside a transaction. */
  toString(): string {
    return this.ordinal === 0 ? `${this.t}:${this.i}` : `${this.t}:${this.i}:${this.ordinal}`;
  }

  /** Fixed-width text whose lexical order is the order of positions. */
  toSortable(): string {
    return [this.t, this.i, this.ordinal].map((part) => part.toString(16).padStart(8, '0')).join('');
  }

  /** `t << 32 | i`, as targets compare it. Operations of one transaction share a version; the topic's order decides between them. */
  get version(): bigint {
    return (BigInt(this.t) << 32n) | BigInt(this.i);
  }

  /** Negative, zero or positive as this one is before, at or after the other. */
  compare(other: Position): number {
    return this.t - other.t || this.i - other.i || this.ordinal - other.ordinal;
  }
}
