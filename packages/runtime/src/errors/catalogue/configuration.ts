// TW10xx: what the user typed or configured. The process ends with exit code 2, before it has touched anything.
import { type ErrorEntry, EXIT_USAGE } from '../error-entry.js';

const usage = { retriable: false, exitCode: EXIT_USAGE } as const;

export const configurationErrors = {
  TW1001: {
    title: 'Unknown key in the configuration file',
    message: '{place}: unknown key {key}{suggestion}',
    hint: 'Correct the key or remove it. docs/configuration.md lists every key of the file.',
    ...usage,
  },
  TW1002: {
    title: 'Wrong value in the configuration file',
    message: '{place}: {key} must be {expected}, not {actual}',
    hint: 'Correct the value in the file; a number that is meant as text needs quotes. docs/configuration.md lists every key with its values and its default.',
    ...usage,
  },
  TW1003: {
    title: 'Configuration file unreadable',
    message: 'Cannot read the configuration file {file}: {reason}',
    hint: 'Check the path that --config or TAILWATER_CONFIG names, and that this user may read the file.',
    ...usage,
  },
  TW1004: {
    title: 'Configuration file malformed',
    message: '{place}: {reason}',
    hint: 'The file must be one YAML or JSON mapping of sections. Values with characters such as : # * & { need quotes.',
    ...usage,
  },
  TW1005: {
    title: 'Unknown flag',
    message: 'Unknown flag {flag}{suggestion}',
    hint: 'Run {command} --help for the flags of this command.',
    ...usage,
  },
  TW1006: {
    title: 'Wrong value for a flag',
    message: '{flag} must be {expected}, not {actual}',
    hint: 'Run the command with --help for the values that each flag takes.',
    ...usage,
  },
  TW1007: {
    title: 'Required option missing',
    message: 'The option {flag} is required',
    hint: 'Give {flag}, or set the environment variable {variable}{file}.',
    ...usage,
  },
  TW1008: {
    title: 'Unknown command',
    message: 'Unknown command {command}{suggestion}',
    hint: 'Run {program} --help for the commands.',
    ...usage,
  },
  TW1009: {
    title: 'Wrong value in an environment variable',
    message: 'The environment variable {variable} must be {expected}, not {actual}',
    hint: 'Correct the variable or unset it.',
    ...usage,
  },
  TW1010: {
    title: 'Bad namespace pattern',
    message: 'The namespace pattern {pattern} in {option} is not usable: {reason}',
    hint: 'Write database.collection. A * stands for any text: in the database part it matches no dot, in the collection part it does. Quote patterns in a shell.',
    ...usage,
  },
  TW1011: {
    title: 'Two namespaces with one target name',
    message: 'Both {first} and {second} would be written to {target}',
    hint: 'Give each namespace its own target name in rename, or exclude one of the two. If their ids never clash, as ObjectIds do not, --allow-merge merges them: of two documents with one id the later write would win.',
    ...usage,
  },
  TW1012: {
    title: 'Unknown target',
    message: 'Unknown target {target}{suggestion}',
    hint: 'The targets are: {targets}.',
    ...usage,
  },
  TW1013: {
    title: 'Bad topic prefix',
    message: 'The topic prefix {prefix} is not usable',
    hint: 'A prefix has 1 to 100 letters, digits, _ and -, and no dot. Producer and consumers must be given the same one.',
    ...usage,
  },
  TW1014: {
    title: 'Unexpected or missing argument',
    message: 'Wrong arguments for {command}: {reason}',
    hint: 'Run {command} --help for how it is used.',
    ...usage,
  },
  TW1015: {
    title: 'Options that do not go together',
    message: '{first} and {second} do not go together: {reason}',
    hint: 'Give one of the two.',
    ...usage,
  },
  TW1016: {
    title: 'Bad broker address',
    message: 'The Kafka broker address {broker} is not usable',
    hint: 'Write host:port, several separated by commas, as in --kafka kafka1:9092,kafka2:9092. IPv6 addresses need a host name.',
    ...usage,
  },
  TW1017: {
    title: 'Certificate or secret file unreadable',
    message: 'Cannot read {file}, which {option} names: {reason}',
    hint: 'Check the path and that this user may read the file.',
    ...usage,
  },
  TW1018: {
    title: 'No command given',
    message: '{program} needs a command',
    hint: 'Run {program} --help for the commands.',
    ...usage,
  },
  TW1019: {
    title: 'Several mistakes in the configuration',
    message: '{count} mistakes in the configuration:{list}',
    hint: 'Correct them one after the other. docs/errors.md explains each code, docs/configuration.md lists every key.',
    ...usage,
  },
  TW1020: {
    title: 'Variable in the configuration file not set',
    message: '{where} refers to the environment variable {variable}, which is not set',
    hint: 'Set the variable where the process is started. If the text is meant as it stands, write $${ instead of ${.',
    ...usage,
  },
  TW1021: {
    title: 'Malformed variable in the configuration file',
    message: '{where} has a ${ that begins no variable',
    hint: 'A variable is written ${NAME}, of letters, digits and _. If the text is meant as it stands, write $${ instead of ${.',
    ...usage,
  },
  TW1022: {
    title: 'Key twice in the configuration file',
    message: '{place}: the key {key} occurs twice, the first time at {first}',
    hint: 'Keep one of the two.',
    ...usage,
  },
  TW1023: {
    title: 'No such target in the configuration file',
    message: '{file} has no target {name}{suggestion}',
    hint: 'The targets of the file are: {targets}. Name one of them, or add the target.',
    ...usage,
  },
  TW1024: {
    title: 'Several targets in the configuration file',
    message: '{file} has several targets, and nothing says which is meant',
    hint: 'Name one by --name or TAILWATER_NAME: {targets}.',
    ...usage,
  },
  TW1040: {
    title: 'No PEM in a file',
    message: 'The file {file}, which {option} names, holds no {what} in PEM form',
    hint: 'It must begin with -----BEGIN. Of DER: openssl x509 -inform der -in <file> -out <pem>; of PKCS #12 or a Java key store: openssl pkcs12 -in <file> -nodes -out <pem>.',
    ...usage,
  },
  TW1041: {
    title: 'Certificate expired',
    message: 'The certificate in {file}, which {option} names, {problem}',
    hint: 'Have it renewed, and check this machine’s clock. Certificates are read when a process starts.',
    ...usage,
  },
  TW1042: {
    title: 'Key of another certificate',
    message: 'The private key in {key} does not belong to the certificate in {certificate}',
    hint: 'Name the key that the certificate was made with. In a file of several certificates the holder’s own comes first.',
    ...usage,
  },
  TW1043: {
    title: 'Private key not opened',
    message: 'The private key in {file}, which {option} names, cannot be opened',
    hint: 'If it is encrypted, check its password ({flag}, or its environment variable); the status server takes keys without one only.',
    ...usage,
  },
  TW1044: {
    title: 'Secret file empty',
    message: 'The file {file}, from which {option} is to be read, is empty',
    hint: 'Write the secret into it; a line break at its end is left out.',
    ...usage,
  },
  TW1045: {
    title: 'Unknown option in a connection string',
    message: 'The MongoDB connection string {address} has the option {option}, which there is not{suggestion}',
    hint: 'The options are those of https://www.mongodb.com/docs/manual/reference/connection-string-options/. A & in a value is written %26.',
    ...usage,
  },
  TW1046: {
    title: 'No servers behind a mongodb+srv name',
    message: 'The DNS does not say which servers {address} stands for ({reason})',
    hint: 'Such a name needs the records _mongodb._tcp.<name>: dig SRV _mongodb._tcp.<name> shows them. Check its spelling, and that this machine’s resolver answers; or write mongodb:// with the hosts themselves.',
    ...usage,
  },
  TW1047: {
    title: 'Replica set of another name',
    message: 'No server at {address} is a member of the replica set {name}',
    hint: 'Check replicaSet in the connection string: rs.status().set says what it is called. A name that a server does not answer with counts as another set; case matters in it.',
    ...usage,
  },
} as const satisfies Record<string, ErrorEntry>;
