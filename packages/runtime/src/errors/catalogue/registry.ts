// TW1560 to TW1575: the schema registry.
import { type ErrorEntry, EXIT_FAILURE, EXIT_USAGE } from '../error-entry.js';

export const registryErrors = {
  REGISTRY_UNREACHABLE: {
    code: 'TW1560',
    title: 'Schema registry unreachable',
    message: 'The schema registry at {address} does not answer: {reason}',
    hint: 'Start it, or correct --schema-registry. A process that runs already needs it only for schemas and topics that it has not met yet, and waits.',
    retriable: true,
    exitCode: EXIT_FAILURE,
  },
  REGISTRY_ACCESS_DENIED: {
    code: 'TW1561',
    title: 'Schema registry refuses access',
    message: 'The schema registry at {address} refuses {operation} (HTTP {status})',
    hint: 'Check --schema-registry-user and --schema-registry-password, or --schema-registry-token. The producer needs to read and register schemas, the consumer to read them; a subject that somebody registered beforehand is only read.',
    retriable: false,
    exitCode: EXIT_FAILURE,
    waitsForOperator: true,
  },
  SCHEMA_NOT_ACCEPTED: {
    code: 'TW1562',
    title: 'Schema not accepted',
    message: 'The schema registry does not take the schema of change events for the subject {subject}: {reason}',
    hint: 'The subject holds another schema, with which this one is not compatible. Delete the subject if nobody uses it, or choose another --prefix. Nothing was published.',
    retriable: false,
    exitCode: EXIT_FAILURE,
  },
  NOT_A_REGISTRY: {
    code: 'TW1563',
    title: 'No schema registry there',
    message: '{address} does not answer as a schema registry does: {reason}',
    hint: 'Give the URL of an API like that of Confluent’s registry: http://host:8081; of Apicurio http://host:8080/apis/ccompat/v7.',
    retriable: false,
    exitCode: EXIT_USAGE,
    waitsForOperator: true,
  },
  REGISTRY_NEEDED: {
    code: 'TW1564',
    title: 'Schema registry needed',
    message: 'The record at {topic}, partition {partition}, offset {offset} names its schema by the id {id} of a schema registry',
    hint: 'The producer writes with --schema-registry: give the same one here. Nothing is skipped: the partition waits, and those without such records go on; --on-error stop ends the process instead. If something else wrote it, stop the consumers and set the group’s offset behind it (kafka-consumer-groups.sh --reset-offsets).',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  WAITING_FOR_A_SCHEMA: {
    code: 'TW1565',
    title: 'Waiting for a schema',
    message:
      'The record at {topic}, partition {partition}, offset {offset} waits: the schema registry has not told what its schema {id} is',
    hint: 'The log says why the registry does not answer. Nothing is skipped: the partition goes on when it does, and the others go on meanwhile.',
    retriable: true,
    exitCode: EXIT_FAILURE,
  },
} as const satisfies Record<string, ErrorEntry>;
