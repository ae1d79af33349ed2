// TW13xx: what the consumer writes to.
import { type ErrorEntry, EXIT_FAILURE, EXIT_USAGE } from '../error-entry.js';

const permanent = { retriable: false, exitCode: EXIT_FAILURE } as const;
const passing = { retriable: true, exitCode: EXIT_FAILURE } as const;

export const targetErrors = {
  TW1301: {
    title: 'Target unreachable',
    message: 'Cannot reach {target} at {address}',
    hint: 'Check that the server runs, and that host, port, TLS settings and firewall let this machine connect.',
    ...passing,
  },
  TW1302: {
    title: 'Target credentials refused',
    message: '{target} at {address} refused the credentials',
    hint: 'Check user and secret, or the API key, that the target options name.',
    ...permanent,
  },
  TW1303: {
    title: 'Not allowed at the target',
    message: '{target} at {address} does not allow this user to {operation}',
    hint: 'Give the user the right to create indices (or collections) and to write to those that the namespaces map to.',
    ...permanent,
  },
  TW1304: {
    title: 'Index name refused',
    message: '{target} refuses the name {index} for {namespace}: {reason}',
    hint: 'Give the namespace another target name with --rename, or exclude it with --exclude.',
    ...permanent,
  },
  TW1305: {
    title: 'Document refused',
    message: '{target} refuses the document {key} of {namespace}: {reason}',
    hint: 'Mostly the mapping or schema of the target does not fit the value: correct it there, or leave the field out. Nothing behind this document was committed for its partition.',
    ...permanent,
  },
  TW1306: {
    title: 'Two namespaces in one index',
    message: '{first} and {second} would both be written to {index}',
    hint: 'Give one of them another target name with --rename, or exclude it.',
    ...permanent,
  },
  TW1307: {
    title: 'Target too old',
    message: '{target} at {address} is version {version}, at least {minimum} is needed',
    hint: 'Upgrade the target.',
    ...permanent,
  },
  TW1308: {
    title: 'Malformed target URL',
    message: 'The target URL {address} is malformed',
    hint: 'Write http://host:port, https://host:port or mongodb://host:port, as the target needs.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1309: {
    title: 'Change too large for the target',
    message: 'The document {key} of {namespace} has {bytes} bytes, {target} takes {limit}',
    hint: 'Raise the limit of the target (Elasticsearch: http.max_content_length), or leave its large fields out.',
    ...permanent,
  },
  TW1310: {
    title: 'Target read-only',
    message: '{target} at {address} does not accept writes at the moment: {reason}',
    hint: 'Mostly its disk is nearly full, or it has no primary. It is tried again until it accepts them.',
    ...passing,
  },
  TW1311: {
    title: 'Target overloaded',
    message: '{target} at {address} refused a batch because it is overloaded',
    hint: 'The batch is tried again with growing pauses; nothing is lost. If it goes on, lower --in-flight or --batch-size, or give the target more resources.',
    ...passing,
  },
  TW1312: {
    title: 'Target TLS failed',
    message: 'No TLS connection to {target} at {address}',
    hint: 'Check the CA file, the certificate’s validity, and that its names include this host.',
    ...permanent,
  },
  TW1313: {
    title: 'Unexpected answer of the target',
    message: '{target} at {address} answered in a way that is not understood: {reason}',
    hint: 'Check that the address is the server itself and not a proxy’s error page, and that its version is supported.',
    ...permanent,
  },
  TW1314: {
    title: 'Client library changed',
    message: 'The installed client for {target} does not work with this version: {reason}',
    hint: 'Install the dependencies again with npm ci, so that the tested versions are used.',
    ...permanent,
  },
  TW1340: {
    title: 'Malformed cloud id',
    message: 'The cloud id {id} is malformed',
    hint: 'Copy it from the deployment’s page and write --target-url cloud:<name>:<the long text>.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1341: {
    title: 'Index template unusable',
    message: 'The file {file} holds no index template: {reason}',
    hint: 'It must be the JSON body that PUT _index_template takes: {"index_patterns": ["shop.*"], "template": {"settings": {…}, "mappings": {…}}}.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1342: {
    title: 'Index template refused',
    message: 'Elasticsearch refuses the index template of {file}: {reason}',
    hint: 'Correct the file. If another template has the same patterns and priority, give this one a higher "priority".',
    ...permanent,
  },
  TW1343: {
    title: 'Ingest pipeline missing',
    message: 'Elasticsearch at {address} has no ingest pipeline {pipeline}',
    hint: 'Create it (PUT _ingest/pipeline/{pipeline}) before the consumer starts, or leave --es-pipeline out.',
    ...permanent,
  },
  TW1344: {
    title: 'An index where an alias should be',
    message: 'Elasticsearch has an index {index}, so {alias} cannot be an alias',
    hint: 'Leave --es-alias-suffix out, or delete that index and let the topics be applied again, or rename the namespace with --rename.',
    ...permanent,
  },
  TW1345: {
    title: 'Malformed shard key',
    message: '{key} is no shard key for {name}',
    hint: 'Write --mongo-shard-key db.collection=field, several fields joined by +, dotted where they are nested; db.collection is the name at the target.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1346: {
    title: 'Version field unusable',
    message: 'The field {field} cannot hold versions',
    hint: 'Choose a top-level name that no document has, without dots and not beginning with $, such as _tw.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
} as const satisfies Record<string, ErrorEntry>;
