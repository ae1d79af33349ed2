// Finds, in one walk over a raw change event, the few fields that decide what it is; the rest is stepped over. The fields of
// an event stand in any order. https://www.mongodb.com/docs/manual/reference/change-events/
import { BsonCursor, BsonType, readString } from '@tailwater/schema';

const cursor = new BsonCursor();
const inner = new BsonCursor();

/** The fields of the event read last; offsets are into `source`, and -1 where the event has no such field. */
export class EventFields {
  source: Buffer = Buffer.alloc(0);
  operationType = '';
  tokenStart = -1;
  t = 0;
  i = 0;
  /** By the server's clock; events of versions before 6.0 have none of their own, and get that of their position. */
  wallTimeMs = 0;
  /** `db.coll`, the database alone, or nothing, as the event names it. */
  namespace = '';
  /** Where a rename went. */
  to = '';
  documentKeyStart = -1;
  fullDocumentStart = -1;
  fullDocumentEnd = -1;
  updateDescriptionStart = -1;
  lsidStart = -1;
  txnNumber = -1n;
  /** What was created is a view, or the view of a time series. */
  isView = false;

  read(source: Buffer): void {
    this.source = source;
    this.operationType = this.namespace = this.to = '';
    this.tokenStart = this.documentKeyStart = this.fullDocumentStart = this.updateDescriptionStart = this.lsidStart = -1;
    this.wallTimeMs = -1;
    this.txnNumber = -1n;
    this.isView = false;
    cursor.enter(source, 0);
    while (cursor.next()) this.#take(source, cursor.name(), cursor.type, cursor.valueStart);
    if (this.wallTimeMs < 0) this.wallTimeMs = this.t * 1000;
  }

  #take(source: Buffer, name: string, type: number, valueStart: number): void {
    switch (name) {
      case 'operationType':
        this.operationType = readString(source, valueStart);
        return;
      case '_id':
        this.tokenStart = valueStart;
        return;
      case 'clusterTime':
        this.i = source.readUInt32LE(valueStart);
        this.t = source.readUInt32LE(valueStart + 4);
        return;
      case 'wallTime':
        if (type === BsonType.date) this.wallTimeMs = Number(source.readBigInt64LE(valueStart));
        return;
      case 'ns':
        if (type === BsonType.object) this.namespace = readNamespace(source, valueStart);
        return;
      case 'to':
        if (type === BsonType.object) this.to = readNamespace(source, valueStart);
        return;
      case 'documentKey':
        this.documentKeyStart = valueStart;
        return;
      case 'fullDocument':
        // Null where the document is gone, or no image of it is kept.
        if (type !== BsonType.object) return;
        this.fullDocumentStart = valueStart;
        this.fullDocumentEnd = cursor.valueEnd;
        return;
      case 'updateDescription':
        this.updateDescriptionStart = valueStart;
        return;
      case 'lsid':
        this.lsidStart = valueStart;
        return;
      case 'txnNumber':
        if (type === BsonType.int64) this.txnNumber = source.readBigInt64LE(valueStart);
        return;
      case 'operationDescription':
        if (type === BsonType.object) this.isView = hasField(source, valueStart, 'viewOn');
        return;
      default:
        return;
    }
  }
}

function readNamespace(source: Buffer, start: number): string {
  let database = '';
  let collection = '';
  inner.enter(source, start);
  while (inner.next()) {
    if (inner.type !== BsonType.string) continue;
    const name = inner.name();
    if (name === 'db') database = readString(source, inner.valueStart);
    else if (name === 'coll') collection = readString(source, inner.valueStart);
  }
  return collection === '' ? database : `${database}.${collection}`;
}

function hasField(source: Buffer, start: number, name: string): boolean {
  inner.enter(source, start);
  while (inner.next()) if (inner.name() === name) return true;
  return false;
}
