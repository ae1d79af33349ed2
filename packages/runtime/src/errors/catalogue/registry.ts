// TW1560 to TW1575: the schema registry.
import { type ErrorEntry, EXIT_FAILURE, EXIT_USAGE } from '../error-entry.js';

export const registryErrors = {
  REGISTRY_UNREACHABLE: {
    code: 'TW1560',
    title: 'Schema registry unreachable',
    message: 'The schema registry at {address} does not answer: {reason}',
    hint: 'Start it, or correct --schema-registry. A running process needs it only for new schemas and topics, and waits for it.',
    retriable: true,
    exitCode: EXIT_FAILURE,
  },
  REGISTRY_ACCESS_DENIED: {
    code: 'TW1561',
    title: 'Schema registry refuses access',
    message: 'The schema registry at {address} refuses {operation} (HTTP {status})',
    hint: 'Check --schema-registry-user and --schema-registry-password, or --schema-registry-token. The producer needs to read and register schemas, the consumer to read them; a subject that is already registered is only read.',
    retriable: false,
    exitCode: EXIT_FAILURE,
    waitsForOperator: true,
  },
  SCHEMA_NOT_ACCEPTED: {
    code: 'TW1562',
    title: 'Schema not accepted',
    message: 'The schema registry does not accept the schema of change events for the subject {subject}: {reason}',
    hint: 'The subject has another, incompatible schema. Delete the subject if it is unused, or choose another --prefix. Nothing was published.',
    retriable: false,
    exitCode: EXIT_FAILURE,
  },
  NOT_A_REGISTRY: {
    code: 'TW1563',
    title: 'No schema registry there',
    message: '{address} does not answer like a schema registry: {reason}',
    hint: 'Give the URL of an API compatible with Confluent’s registry: http://host:8081; for Apicurio, http://host:8080/apis/ccompat/v7.',
    retriable: false,
    exitCode: EXIT_USAGE,
    waitsForOperator: true,
  },
  REGISTRY_NEEDED: {
    code: 'TW1564',
    title: 'Schema registry needed',
    message: 'The record at {topic}, partition {partition}, offset {offset} names its schema by the id {id} of a schema registry',
    hint: 'The producer uses --schema-registry: give the same one here. Nothing is skipped: the partition waits, and the others continue; --on-error stop ends the process instead. If something else wrote it, stop the consumers and move the group’s offset past it (kafka-consumer-groups.sh --reset-offsets).',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  WAITING_FOR_A_SCHEMA: {
    code: 'TW1565',
    title: 'Waiting for a schema',
    message: 'The record at {topic}, partition {partition}, offset {offset} waits: the schema registry has not returned its schema {id}',
    hint: 'The log says why the registry does not answer. Nothing is skipped: the partition continues when it does, and the others continue now.',
    retriable: true,
    exitCode: EXIT_FAILURE,
  },
} as const satisfies Record<string, ErrorEntry>;
