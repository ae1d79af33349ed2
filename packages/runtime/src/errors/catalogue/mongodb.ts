// TW11xx: the MongoDB that is read.
import { type ErrorEntry, EXIT_FAILURE, EXIT_USAGE } from '../error-entry.js';

const permanent = { retriable: false, exitCode: EXIT_FAILURE } as const;
const passing = { retriable: true, exitCode: EXIT_FAILURE } as const;

export const mongodbErrors = {
  TW1101: {
    title: 'MongoDB unreachable',
    message: 'Cannot reach MongoDB at {address}',
    hint: 'Check that mongod runs, and that host, port and firewall let this machine connect. A server that closes each connection at once wants TLS (tls=true, --mongo-tls-ca) or a client certificate that it trusts (--mongo-tls-cert): its log says which. If a replica set member advertises a name that does not resolve here (rs.conf().members[0].host), set a name that does, or use directConnection=true.',
    ...passing,
  },
  TW1102: {
    title: 'MongoDB credentials refused',
    message: 'MongoDB at {address} refused the credentials',
    hint: 'Check user, password and authSource in the connection string (users are mostly kept in authSource=admin). Characters such as @ : / % in a password must be percent-encoded there, but not in --mongo-password. With X.509 the user is the subject of the certificate, in $external.',
    ...permanent,
  },
  TW1103: {
    title: 'MongoDB is not a replica set',
    message: 'MongoDB at {address} is a standalone server: it keeps no oplog to read',
    hint: 'Start mongod with --replSet rs0 and run rs.initiate() in mongosh once; one member is enough. rs.initiate() advertises a host name, or 127.0.0.1 when mongod binds only that: if other machines must reach it, start mongod with --bind_ip_all and set members[0].host by rs.reconfig() to a name that they resolve.',
    ...permanent,
  },
  TW1104: {
    title: 'No right to read the oplog',
    message: 'The user may not read local.oplog.rs at {address}',
    hint: 'In mongosh: use admin; db.grantRolesToUser("<user>", [{role: "read", db: "local"}, {role: "readAnyDatabase", db: "admin"}]). Where nobody can grant that, --source change-stream needs no access to local.',
    ...permanent,
  },
  TW1105: {
    title: 'A config server instead of a mongos',
    message: 'MongoDB at {address} is a config server of a sharded cluster: the documents are on the shards',
    hint: 'Connect to a mongos of the cluster.',
    ...permanent,
  },
  TW1106: {
    title: 'Gap: the position left the oplog',
    message: 'The oplog no longer holds the position {position}: it begins at {oldest}, {seconds} s later',
    hint: 'Changes in between can no longer be read one by one. Start the producer with --on-gap resnapshot, the default: it copies the collections again and removes what was deleted meanwhile from topics and targets. Afterwards enlarge the oplog (db.adminCommand({replSetResizeOplog: 1, size: <MB>})) so that it covers the longest outage you expect.',
    ...permanent,
  },
  TW1107: {
    title: 'Malformed MongoDB connection string',
    message: 'The MongoDB connection string {address} is malformed, or asks for what there is not',
    hint: 'Write mongodb://user:pass@host1:27017,host2:27017/?replicaSet=rs0 or mongodb+srv://…; percent-encode special characters in user and password. The line below says what is wrong: files that it names must be there, and some mechanisms and compressors need a package of their own.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1108: {
    title: 'MongoDB too old',
    message: 'MongoDB at {address} is version {version}, at least {minimum} is needed',
    hint: 'Upgrade the server, or read from a newer member of the replica set.',
    ...permanent,
  },
  TW1109: {
    title: 'Not allowed at MongoDB',
    message: 'MongoDB at {address} does not let this user do what the producer must',
    hint: 'The line below says what was refused. Grant the role of docs/07-security.md, or read on the database, or exclude the namespace with --exclude.',
    ...permanent,
  },
  TW1110: {
    title: 'Checkpoint of another cluster',
    message:
      'The checkpoint was read from another cluster: {address} is called {name} like that one, but its id is {actual}, not {expected}',
    hint: 'Check the connection string; another source needs a --prefix of its own. If the data is the same, as after a restore, start once with --accept-cluster {actual}.',
    ...permanent,
  },
  TW1111: {
    title: 'MongoDB TLS failed',
    message: 'No TLS connection to MongoDB at {address}: {reason}',
    hint: 'Give the CA of the server’s certificate with --mongo-tls-ca, this client’s certificate with --mongo-tls-cert, and in --mongo the host names that are in the server’s certificate. See docs/07-security.md.',
    ...permanent,
  },
  TW1112: {
    title: 'MongoDB answers with an error',
    message: 'MongoDB at {address} answered with {name}',
    hint: 'The line below says why. What passes by itself, such as an election or an interrupted operation, is tried again while the producer runs: at its start, start it again.',
    ...passing,
  },
  TW1113: {
    title: 'Privileges missing',
    message: 'The user at {address} lacks: {privileges}',
    hint: 'With a role of your own: use admin; db.grantPrivilegesToRole("<role>", {grant}). Or grant the built-in role read on the databases, or readAnyDatabase on admin. docs/07-security.md has the whole role.',
    ...permanent,
  },
  TW1130: {
    title: 'The source is behind its checkpoint',
    message: 'The oplog does not hold the checkpoint {position}, and has only come to {newest}',
    hint: 'The data may have been restored from a backup. The collections are copied again, and their topics swept, as soon as MongoDB writes later positions than the checkpoint, which its clock decides; compare the clocks if that takes long.',
    ...passing,
  },
  TW1140: {
    title: 'Not a namespace',
    message: '{text} is no namespace',
    hint: 'Write database.collection, as in shop.orders.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1141: {
    title: 'No such collection',
    message: 'MongoDB at {address} has no collection {namespace}',
    hint: 'Check the name: databases and collections are told apart by upper and lower case. Views and time-series collections are not copied.',
    ...permanent,
  },
  TW1142: {
    title: 'Unreadable _id',
    message: 'The _id {text} is no Extended JSON: {reason}',
    hint: 'Write Extended JSON, such as 42, "42", {"$oid": "…"} or {"$uuid": "…"}, in quotes for the shell. Without quotes of its own, 24 hexadecimal digits are an ObjectId and other text is a string.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1143: {
    title: 'Bad start position',
    message: 'Nobody can start at {text}',
    hint: 'Give --start-at now, earliest, a position such as 1769846400:1, a date with its time zone such as 2026-01-31T08:00:00Z, or file:oplog.timestamp of mongo-connector.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1144: {
    title: 'Start position not in the oplog',
    message: 'The oplog does not hold {position} ({date}): it reaches from {oldest} to {newest}',
    hint: 'Give --start-at a position in between, or earliest; with --snapshot initial the collections are copied in any case, so nothing but their history is missing.',
    ...permanent,
  },
  TW1145: {
    title: 'Bad snapshot query',
    message: 'The snapshot query of {namespace} is not usable: {reason}',
    hint: 'Write --snapshot-query \'db.collection={"field": {"$gt": 5}}\', a filter of find() in Extended JSON, once for each collection.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1146: {
    title: 'No topic for signals',
    message: 'Kafka has no topic {topic}: no producer has run with this prefix',
    hint: 'Check --prefix, and start the producer: it creates the topic and obeys what is asked of it there.',
    ...permanent,
  },
  TW1147: {
    title: 'Namespace not included',
    message: '{namespace} is not among the included namespaces',
    hint: 'Check --include and --exclude, which must be those of the producer; they are best kept in the configuration file that both read.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1148: {
    title: 'No majority holds what is written',
    message: 'No majority of the replica set takes over what is written: it could still be rolled back, and is not published',
    hint: 'Bring the members that are down or behind back (rs.status() shows them); an arbiter holds no data and does not count. What waited is published by itself then. A set that must do without a member for long can give it no vote: rs.reconfig() with votes: 0 and priority: 0.',
    ...passing,
  },
  TW1149: {
    title: 'No member for what is asked',
    message: 'MongoDB at {address} answers, but has no member for {wanted}: it has {members}',
    hint: 'Where the read preference is secondary, or has tags, start such a member or write readPreference=secondaryPreferred. Where there is no primary, more than half of the voting members must be up for one to be elected: rs.status() shows them.',
    ...passing,
  },
  TW1160: {
    title: 'Gap: the change stream cannot be resumed',
    message: 'MongoDB cannot resume the change stream behind the position {position}: its oplog no longer reaches back so far',
    hint: 'Changes in between can no longer be read one by one, so the collections must be read again. Afterwards enlarge the oplog (db.adminCommand({replSetResizeOplog: 1, size: <MB>}), or the oplog window in Atlas) so that it covers the longest outage you expect.',
    ...permanent,
  },
  TW1161: {
    title: 'No right to watch changes',
    message: 'The user may not open a change stream on {scope}',
    hint: 'Grant the actions changeStream and find on what is watched: the role read on the database, or readAnyDatabase on admin when more than one database is included. Naming the namespaces with --include narrows what is watched.',
    ...permanent,
  },
  TW1162: {
    title: 'Change event too large',
    message: 'MongoDB cannot send the change event behind the position {position}: it would be larger than 16 MB',
    hint: 'MongoDB 6.0.9 and newer split such events, so upgrade the server; or read the oplog with --source oplog, whose entries are smaller.',
    ...permanent,
  },
  TW1164: {
    title: 'The shards of the cluster changed',
    message: 'The cluster had the shards {before} and now has {after}',
    hint: 'The producer begins to read the shards that came by itself; nothing needs to be done.',
    ...passing,
  },
  TW1170: {
    title: 'GridFS bucket excluded',
    message: 'The GridFS bucket {bucket} is marked by --gridfs, and its files are excluded',
    hint: 'Leave one of the two out. What is excluded beats what is marked.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1171: {
    title: 'File without its content: too large',
    message: 'The file {key} of {namespace} has {length} bytes, more than {limit}: it is published without its content',
    hint: 'Raise --gridfs-max-bytes, up to 18 MiB, and ask for the collection again with producer snapshot; what is larger than that stays without. Further files are only counted.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1172: {
    title: 'File without its content: incomplete',
    message: 'The chunks of the file {key} of {namespace} do not give the content that its document describes: it is published without it',
    hint: 'A file that is still being written is published again when its document is written. If it is complete and was not, ask for it with producer refresh. Further files are only counted.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
} as const satisfies Record<string, ErrorEntry>;
