// What Kafka does not take, as a record of `<prefix>.producer.dead-letters`: the place of the change, why, and what there is of it.
// docs/02-wire-contract.md
import { createHash } from 'node:crypto';
import type { TailwaterError } from '@tailwater/runtime';
import { type Origin, Position } from '@tailwater/schema';
import type { ChangeBatch, TrackedNamespace } from '../changes/change-batch.js';
import type { OutgoingRecord } from '../encode/record-encoder.js';
import { idDocument } from '../source/mongo/id-value.js';

/** A letter with a larger value could be refused itself. */
const MAX_VALUE_BYTES = 18 * 1024 * 1024;
/** Of a key, in a header. */
const MAX_KEY_BYTES = 1024;
const PREFIX = 'tw-letter-';
const NOTHING = Buffer.alloc(0);

/** @param isPlaceRefused - the namespace is refused and not the document, which can be read from MongoDB at any time: its `_id` suffices */
export function deadLetterOf(
  rows: ChangeBatch,
  row: number,
  origin: Origin,
  refusal: TailwaterError,
  isPlaceRefused: boolean,
  nowMs: number,
): OutgoingRecord {
  const namespace = (rows.namespace[row] as TrackedNamespace).name;
  const key = Buffer.from(rows.key[row] as string);
  const position = new Position(rows.t[row] as number, rows.i[row] as number, rows.ordinal[row]).toString();
  const [holds, value] = contentOf(rows, row, isPlaceRefused);
  const told = {
    code: refusal.code,
    reason: refusal.message.slice(0, 2000),
    namespace,
    position,
    op: rows.op[row] as string,
    origin,
    holds,
    at: String(nowMs),
    ...(key.length <= MAX_KEY_BYTES ? { key: key.toString('utf8') } : {}),
  };
  const headers = Object.fromEntries(Object.entries(told).map(([name, each]) => [`${PREFIX}${name}`, each]));
  // The same change has the same key, however often it is read.
  const id = createHash('sha256').update(key).digest('hex').slice(0, 16);
  return { key: Buffer.from(`${namespace}/${position}/${id}`), value, partition: 0, headers };
}

/** The document, else the document `{_id}`, else nothing: what fits. */
function contentOf(rows: ChangeBatch, row: number, isPlaceRefused: boolean): [holds: 'document' | 'id' | 'nothing', value: Buffer] {
  const document = rows.document[row];
  if (!isPlaceRefused && document !== undefined && document.length <= MAX_VALUE_BYTES) return ['document', Buffer.from(document)];
  const [source, start, end] = [rows.idSource[row] as Buffer, rows.idStart[row] as number, rows.idEnd[row] as number];
  // The absence that a sweep found has no bytes of its `_id`.
  if (source.length === 0 || end - start > MAX_VALUE_BYTES) return ['nothing', NOTHING];
  return ['id', idDocument(source, rows.idType[row] as number, start, end)];
}
