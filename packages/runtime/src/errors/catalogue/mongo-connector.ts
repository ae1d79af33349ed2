// TW1060–TW1079: configurations and command lines of mongo-connector.
import { type ErrorEntry, EXIT_USAGE } from '../error-entry.js';

const usage = { retriable: false, exitCode: EXIT_USAGE } as const;

export const mongoConnectorErrors = {
  MONGO_CONNECTOR_WRONG_VALUE: {
    code: 'TW1060',
    title: 'Wrong value in a configuration of mongo-connector',
    message: '{file}: {key} must be {expected}, not {actual}',
    hint: 'Correct the value. The file was taken for a configuration of mongo-connector because of its keys; docs/from-mongo-connector.md lists them.',
    ...usage,
  },
  MONGO_CONNECTOR_CONTRADICTION: {
    code: 'TW1061',
    title: 'Configuration of mongo-connector that contradicts itself',
    message: '{file}: {reason}',
    hint: 'Correct the configuration; mongo-connector would not have started with it either.',
    ...usage,
  },
  UNKNOWN_DOC_MANAGER: {
    code: 'TW1062',
    title: 'Unknown doc manager',
    message: '{file}: {key} is {docManager}, which has no equivalent here',
    hint: 'There are equivalents of elastic_doc_manager, elastic2_doc_manager, solr_doc_manager and mongo_doc_manager. For another system, write a target of your own (docs/06-own-targets.md) and start the consumer with --target ./my-target.js.',
    ...usage,
  },
  MONGO_CONNECTOR_WITHOUT_KAFKA: {
    code: 'TW1063',
    title: 'No Kafka brokers beside a configuration of mongo-connector',
    message: 'A configuration of mongo-connector names no Kafka brokers, and no option does',
    hint: 'Give --kafka host:9092, or set TAILWATER_KAFKA: Kafka is now between MongoDB and the targets. Producer and consumers need the same brokers.',
    ...usage,
  },
  OPLOG_FILE_UNUSABLE: {
    code: 'TW1064',
    title: 'Checkpoint file of mongo-connector unusable',
    message: 'Cannot start at the place in {file}: {reason}',
    hint: 'The file holds ["replica set", timestamp]. Name another one, or start elsewhere: --start-at now with a copy of everything, which is the default, or an ISO date.',
    ...usage,
  },
  OPLOG_FILE_OF_OTHER_REPLICA_SET: {
    code: 'TW1065',
    title: 'Checkpoint file of another replica set',
    message: 'The place in {file} is that of the replica set {named}, but the source is {connected}',
    hint: 'Check the address of the source. Times of one replica set mean nothing in another. --start-at <date> starts at a time instead.',
    ...usage,
  },
  FILE_EXISTS: {
    code: 'TW1066',
    title: 'File exists',
    message: '{file} exists already',
    hint: 'Name another file with -o, or add --yes to replace this one.',
    ...usage,
  },
  NOT_MONGO_CONNECTOR_CONFIGURATION: {
    code: 'TW1067',
    title: 'Not a configuration of mongo-connector',
    message: '{file} is not a configuration of mongo-connector',
    hint: 'It must be a JSON object with at least one of its keys, such as mainAddress or docManagers.',
    ...usage,
  },
  CONVERSION_NOT_WRITTEN: {
    code: 'TW1068',
    title: 'Converted configuration not written',
    message: 'Cannot write {file}: {reason}',
    hint: 'Check the path, and that this user may write there.',
    ...usage,
  },
  MONGO_CONNECTOR_ADDRESS_WITHOUT_SERVER: {
    code: 'TW1069',
    title: 'Address in a configuration of mongo-connector that names no server',
    message: '{file}: {key} names no server',
    hint: 'Write host:port or an address such as mongodb://host:27017/. Without the key mainAddress it is localhost:27017, as it was for mongo-connector; a doc manager needs its targetURL (-t on the command line).',
    ...usage,
  },
} as const satisfies Record<string, ErrorEntry>;
