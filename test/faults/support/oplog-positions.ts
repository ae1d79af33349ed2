// What the oplog holds of one namespace, as positions: what a topic must hold too.
import { Position } from '@tailwater/schema';
import type { MongoClient } from 'mongodb';

/** The positions of all single inserts, updates and deletes of the namespace, in oplog order. */
export async function oplogPositions(client: MongoClient, namespace: string): Promise<string[]> {
  const entries = await client
    .db('local')
    .collection('oplog.rs')
    .find({ ns: namespace, op: { $in: ['i', 'u', 'd'] } }, { projection: { ts: 1 }, sort: { $natural: 1 } })
    .toArray();
  return entries.map(({ ts }) => new Position(ts.getHighBitsUnsigned(), ts.getLowBitsUnsigned()).toString());
}
