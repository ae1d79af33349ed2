// Finds, in one walk over a raw oplog entry, the few fields that decide what it is. Entries of MongoDB 3.6 to 8.0 order
// their fields differently and carry more than these; the rest is stepped over.
import { BsonCursor, BsonType } from '@tailwater/schema';

/** `op` of an entry, as its character code: i, u, d, c, n. */
export const Op = { insert: 0x69, update: 0x75, delete: 0x64, command: 0x63, noop: 0x6e } as const;

const cursor = new BsonCursor();

/** The fields of the entry read last; offsets are into `source`, and -1 where the entry has no such field. */
export class EntryFields {
  source: Buffer = Buffer.alloc(0);
  /** 0 where `op` is not a single letter: the operations `ci`, `cd`, `xi` and `xd` of newer servers are not among these. */
  op = 0;
  opStart = -1;
  t = 0;
  i = 0;
  /** By the server's clock; entries of versions before 3.6 have none of their own, and get that of their position. */
  wallTimeMs = 0;
  nsStart = -1;
  nsEnd = -1;
  oStart = -1;
  oEnd = -1;
  o2Start = -1;
  lsidStart = -1;
  txnNumber = -1n;
  prevOpTimeStart = -1;
  fromMigrate = false;
  /** `multiOpType: 1`: the operations of this applyOps stand for themselves, however much the entry looks like a transaction. */
  isVectored = false;

  /** Reads the document that begins at `start`; an operation inside a transaction has no `ts` and keeps the entry's. */
  read(source: Buffer, start: number): void {
    this.source = source;
    this.op = 0;
    this.wallTimeMs = -1;
    this.opStart = this.nsStart = this.nsEnd = this.oStart = this.oEnd = this.o2Start = this.lsidStart = this.prevOpTimeStart = -1;
    this.txnNumber = -1n;
    this.fromMigrate = this.isVectored = false;
    cursor.enter(source, start);
    while (cursor.next()) this.#take(source);
    if (this.wallTimeMs < 0) this.wallTimeMs = this.t * 1000;
  }

  #take(source: Buffer): void {
    const { type, valueStart, nameStart } = cursor;
    switch (cursor.nameEnd - nameStart) {
      case 1:
        if (source[nameStart] === 0x6f && type === BsonType.object) {
          this.oStart = valueStart;
          this.oEnd = cursor.valueEnd;
        }
        return;
      case 2:
        this.#takeTwoLetters(source, type, source[nameStart] as number, source[nameStart + 1] as number, valueStart);
        return;
      case 4:
        if (type === BsonType.date && cursor.isNamed(WALL)) this.wallTimeMs = Number(source.readBigInt64LE(valueStart));
        else if (type === BsonType.object && cursor.isNamed(LSID)) this.lsidStart = valueStart;
        return;
      case 9:
        if (type === BsonType.int64 && cursor.isNamed(TXN_NUMBER)) this.txnNumber = source.readBigInt64LE(valueStart);
        return;
      case 10:
        if (type === BsonType.object && cursor.isNamed(PREV_OP_TIME)) this.prevOpTimeStart = valueStart;
        return;
      case 11:
        if (cursor.isNamed(FROM_MIGRATE)) this.fromMigrate = type === BsonType.boolean && source[valueStart] === 1;
        else if (cursor.isNamed(MULTI_OP_TYPE))
          this.isVectored = type === BsonType.int32 && source.readInt32LE(valueStart) === APPLIED_SEPARATELY;
        return;
      default:
        return;
    }
  }

  #takeTwoLetters(source: Buffer, type: number, first: number, second: number, valueStart: number): void {
    if (first === 0x74 && second === 0x73 && type === BsonType.timestamp) {
      this.i = source.readUInt32LE(valueStart);
      this.t = source.readUInt32LE(valueStart + 4);
    } else if (first === 0x6f && second === 0x70 && type === BsonType.string) {
      this.opStart = valueStart;
      this.op = source.readInt32LE(valueStart) === ONE_LETTER_BYTES ? (source[valueStart + 4] as number) : 0;
    } else if (first === 0x6e && second === 0x73) {
      this.nsStart = valueStart + 4;
      this.nsEnd = cursor.valueEnd - 1;
    } else if (first === 0x6f && second === 0x32 && type === BsonType.object) {
      this.o2Start = valueStart;
    }
  }
}

const WALL = Buffer.from('wall');
const LSID = Buffer.from('lsid');
const TXN_NUMBER = Buffer.from('txnNumber');
const PREV_OP_TIME = Buffer.from('prevOpTime');
const FROM_MIGRATE = Buffer.from('fromMigrate');
const MULTI_OP_TYPE = Buffer.from('multiOpType');
/** `kApplyOpsAppliedSeparately` of oplog_entry.idl. */
const APPLIED_SEPARATELY = 1;
/** The length of a BSON string counts its ending zero. */
const ONE_LETTER_BYTES = 2;
