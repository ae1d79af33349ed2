// What became of one document, as far as each server still tells: its entries in the oplog, its records with their offsets, and what source and target hold.
import { readRawDocuments } from '@tailwater/devstack';
import { decodeChangeEvent, parseTombstone } from '@tailwater/schema';
import { BSON, type MongoClient } from 'mongodb';
import { readTopic } from '#test/support/read-topic.js';

export interface HistoryOf {
  readonly source: MongoClient;
  readonly target: MongoClient;
  readonly brokers: readonly string[];
  readonly topic: string;
  readonly database: string;
  readonly collection: string;
}

/** @param key - the record's key: the `_id` as Extended JSON */
export async function historyOf({ source, target, brokers, topic, database, collection }: HistoryOf, key: string): Promise<string[]> {
  const lines: string[] = [];
  const id = BSON.EJSON.parse(key, { relaxed: false }) as unknown;
  const entries = await source
    .db('local')
    .collection('oplog.rs')
    .find({ ns: `${database}.${collection}`, $or: [{ 'o._id': id as never }, { 'o2._id': id as never }] })
    .toArray();
  for (const { ts, op, o } of entries)
    lines.push(`oplog ${ts.getHighBitsUnsigned()}:${ts.getLowBitsUnsigned()} ${op} ${BSON.EJSON.stringify(o)}`);
  for (const record of await readTopic(brokers, topic)) {
    if (String(record.key) !== key) continue;
    const event = record.value === null ? undefined : decodeChangeEvent(record.value);
    const position = event?.position ?? parseTombstone(record.headers)?.position;
    const what =
      event === undefined ? 'tombstone' : `${event.op} of ${event.origin} ${BSON.EJSON.stringify(BSON.deserialize(event.document))}`;
    lines.push(`record ${record.partition}/${record.offset} at ${position}: ${what}`);
  }
  for (const [name, client] of [
    ['source', source],
    ['target', target],
  ] as const) {
    const held = (await readRawDocuments(client, database, collection)).get(key);
    lines.push(`${name} ${held === undefined ? 'nothing' : BSON.EJSON.stringify(BSON.deserialize(held))}`);
  }
  return lines;
}
