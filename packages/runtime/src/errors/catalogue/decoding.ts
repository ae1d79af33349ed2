// TW15xx: bytes that are not what they should be, on the wire and in topics.
import { type ErrorEntry, EXIT_FAILURE } from '../error-entry.js';

const permanent = { retriable: false, exitCode: EXIT_FAILURE } as const;

export const decodingErrors = {
  UNDECODABLE_RECORD: {
    code: 'TW1501',
    title: 'Undecodable record',
    message: 'The record at {topic}, partition {partition}, offset {offset} cannot be decoded: {reason}',
    hint: 'Something else wrote to the topic, or it is damaged. Look at it with a Kafka tool; only the producer may write to topics of the prefix.',
    ...permanent,
  },
  UNKNOWN_SCHEMA: {
    code: 'TW1502',
    title: 'Unknown schema',
    message: 'The record at {topic}, partition {partition}, offset {offset} was written with the unknown schema {fingerprint}',
    hint: 'A newer producer wrote it: upgrade the consumers first, then the producer. Its partition waits, and the others go on; --on-error stop ends the process instead. If something else wrote it, stop the consumers and move the group’s offset past it (kafka-consumer-groups.sh --reset-offsets), or start them with --on-error skip.',
    ...permanent,
  },
  RECORD_KEY_UNREADABLE: {
    code: 'TW1503',
    title: 'Record key unreadable',
    message: 'The key of the record at {topic}, partition {partition}, offset {offset} is not the _id of a document: {reason}',
    hint: 'Something else wrote to the topic. Look at the record with a Kafka tool; only the producer may write to topics of the prefix.',
    ...permanent,
  },
  MALFORMED_OPLOG_ENTRY: {
    code: 'TW1504',
    title: 'Malformed oplog entry',
    message: 'The oplog entry at {position} is malformed: {reason}',
    hint: 'Look at it with db.getSiblingDB("local").oplog.rs.find({ts: …}). It is either damaged or of a MongoDB version that is not known yet.',
    ...permanent,
  },
  MALFORMED_DOCUMENT: {
    code: 'TW1505',
    title: 'Malformed document',
    message: 'A document of {namespace} is not valid BSON: {reason}',
    hint: 'Run validate() on the collection: its data is probably damaged.',
    ...permanent,
  },
} as const satisfies Record<string, ErrorEntry>;
