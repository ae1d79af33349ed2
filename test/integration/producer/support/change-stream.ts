// A change stream in raw BSON: what MongoDB itself makes of its oplog, to compare with.
import { BsonCursor, Position, recordKeyOf } from '@tailwater/schema';
import { BSON, type Db, type Timestamp } from 'mongodb';

export interface StreamedEvent {
  readonly namespace: string;
  readonly op: string;
  readonly key: string;
  readonly position: Position;
  /** Of an insert or a replacement. */
  readonly document: Buffer | undefined;
  readonly update:
    | {
        readonly updatedFields: Buffer;
        readonly removedFields: readonly string[];
        readonly truncatedArrays: readonly { readonly field: string; readonly newSize: number }[];
      }
    | undefined;
}

const DOCUMENT_OPERATIONS = new Set(['insert', 'update', 'replace', 'delete']);

/** The events of documents in a database behind a time, up to the insert into the collection `until`. */
export async function readChangeStream(db: Db, behind: Timestamp, until: string): Promise<StreamedEvent[]> {
  const cursor = db.aggregate([{ $changeStream: { startAtOperationTime: behind } }], { raw: true });
  const events: StreamedEvent[] = [];
  try {
    while (true) {
      const bytes = (await cursor.next()) as unknown as Uint8Array;
      const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const { operationType, ns, documentKey, clusterTime, updateDescription } = BSON.deserialize(source, { promoteValues: false });
      if (ns?.coll === until) return events;
      if (!DOCUMENT_OPERATIONS.has(operationType)) continue;
      events.push({
        namespace: `${ns.db}.${ns.coll}`,
        op: operationType,
        key: recordKeyOf(documentKey._id),
        position: new Position(clusterTime.t, clusterTime.i),
        document: rawField(source, 'fullDocument'),
        update: updateDescription && {
          updatedFields: rawField(rawField(source, 'updateDescription') as Buffer, 'updatedFields') as Buffer,
          removedFields: updateDescription.removedFields,
          truncatedArrays: updateDescription.truncatedArrays.map(({ field, newSize }: BSON.Document) => ({
            field,
            newSize: Number(newSize),
          })),
        },
      });
    }
  } finally {
    await cursor.close();
  }
}

function rawField(source: Buffer, name: string): Buffer | undefined {
  const cursor = new BsonCursor();
  cursor.enter(source, 0);
  while (cursor.next()) if (cursor.name() === name) return source.subarray(cursor.valueStart, cursor.valueEnd);
  return undefined;
}
