// The contract on the wire. Producer and consumer share this and nothing else.
export { BsonType } from './bson/types.js';
export { BsonCursor, cStringEnd, findId, InvalidBsonError, type RawValue, readString, valueSize } from './bson/walk.js';
export { type CheckpointKey, type CheckpointKind, checkpointKey, parseCheckpointKey } from './checkpoint-key.js';
export {
  type ControlKind,
  type ControlRecord,
  controlKey,
  decodeControlRecord,
  encodeControlRecord,
  isControlKey,
} from './control-record.js';
export type { ChangeEvent, Operation, Origin, UpdateDescription } from './envelope/change-event.js';
export { decodeChangeEvent, encodeChangeEvent, writeChangeEvent } from './envelope/codec.js';
export { InvalidEnvelopeError, UnknownSchemaError, UnlistedSchemaIdError } from './envelope/errors.js';
export { rabinFingerprint } from './envelope/fingerprint.js';
export { encodeJsonEvent } from './envelope/json-codec.js';
export { changeEventFingerprint, changeEventSchema } from './envelope/released.js';
export { confluentHeader, confluentSchemaId, type FoundSchema, SchemaIds } from './envelope/schema-ids.js';
export {
  CONTENT_FIELD,
  CONTENT_OVERHEAD_BYTES,
  FILE_HEADER,
  type FileState,
  fileStateOf,
  reserveContent,
  splitContent,
} from './file-content.js';
export { bsonToJson } from './json/bson-to-json.js';
export { InvalidJsonError } from './json/json-scanner.js';
export { jsonToBson } from './json/json-to-bson.js';
export { recordKey, recordKeyOf } from './key/record-key.js';
export { formatNamespace, type Namespace, parseNamespace } from './namespace.js';
export { murmur2, partitionOf } from './partition.js';
export { Position } from './position.js';
export { parseTombstone, type RecordHeaders, type Tombstone, tombstoneHeaders } from './tombstone.js';
export {
  checkpointTopicName,
  deadLetterTopicName,
  isTopicPrefix,
  MAX_TOPIC_NAME_LENGTH,
  namespaceOfTopic,
  signalsTopicName,
  topicName,
} from './topic-name.js';
