// Oplog entries as a server writes them, made here where none was recorded.
import { BSON, Long, Timestamp } from 'bson';

/** Seconds since the epoch of every entry that does not say otherwise. */
export const T = 1_700_000_000;

export interface EntryOptions {
  readonly op?: string;
  readonly ns?: string;
  readonly o?: BSON.Document;
  readonly o2?: BSON.Document;
  readonly t?: number;
  readonly i?: number;
  /** Fields besides, such as `lsid` or `fromMigrate`. */
  readonly more?: BSON.Document;
}

/** A raw entry in the field order of MongoDB 6.0. */
export function entry({ op = 'i', ns = 'shop.orders', o = { _id: 1 }, o2, t = T, i = 1, more = {} }: EntryOptions = {}): Buffer {
  return raw({
    ...more,
    op,
    ns,
    o,
    ...(o2 === undefined ? {} : { o2 }),
    ts: new Timestamp({ t, i }),
    t: Long.fromNumber(1),
    v: Long.fromNumber(2),
    wall: new Date(t * 1000 + 250),
  });
}

export const raw = (document: BSON.Document): Buffer => Buffer.from(BSON.serialize(document, { ignoreUndefined: false }));
