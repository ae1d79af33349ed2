// TW12xx: Kafka.
import { type ErrorEntry, EXIT_FAILURE, EXIT_USAGE } from '../error-entry.js';

const permanent = { retriable: false, exitCode: EXIT_FAILURE } as const;
const passing = { retriable: true, exitCode: EXIT_FAILURE } as const;

export const kafkaErrors = {
  TW1201: {
    title: 'Kafka unreachable',
    message: 'Cannot reach Kafka at {brokers}',
    hint: 'Check that a broker runs and that host, port and firewall let this machine connect. A broker answers the first connection with its advertised.listeners, and all later ones go there: those names must resolve and be reachable from here too. A TLS listener needs --kafka-tls, a SASL one --kafka-sasl.',
    ...passing,
  },
  TW1202: {
    title: 'Kafka credentials refused',
    message: 'Kafka at {brokers} refused the credentials{detail}',
    hint: 'Check --kafka-sasl, the user and the secret, and that the listener behind this port is a SASL one: another one wants no --kafka-sasl. A user may exist for one mechanism and not for another; a token must be for the audience and from the issuer that the broker expects. Why, says the broker’s log.',
    ...permanent,
  },
  TW1203: {
    title: 'Topic with wrong settings',
    message: 'The topic {topic} has {setting}={actual}, but needs {expected}',
    hint: 'Change it: kafka-configs.sh --bootstrap-server <broker> --alter --topic {topic} --add-config {setting}={expected}.',
    ...permanent,
  },
  TW1204: {
    title: 'Record too large',
    message: 'Kafka at {brokers} refused a record as too large',
    hint: 'Raise max.message.bytes of the topic, and replica.fetch.max.bytes of the brokers, above the largest document: 20971520 suffices for MongoDB’s limit of 16 MB.',
    ...permanent,
  },
  TW1205: {
    title: 'Fenced by another producer',
    message: 'Another producer took over: Kafka at {brokers} no longer accepts records of this one',
    hint: 'Nothing is lost. One producer per prefix and source works at a time; this one stands by now, and takes over when the other one ends.',
    ...passing,
  },
  TW1206: {
    title: 'Topic name too long',
    message: 'The topic name of {namespace} has {length} characters, Kafka allows {limit}: {topic}',
    hint: 'Exclude the namespace with --exclude, or choose a shorter --prefix. Characters that Kafka refuses count five each.',
    ...permanent,
  },
  TW1207: {
    title: 'Topic name collision',
    message: 'Kafka counts the topics {topic} and {other} as one name, because it does not tell . from _',
    hint: 'Exclude one of the two namespaces with --exclude, or publish it under another --prefix.',
    ...permanent,
  },
  TW1208: {
    title: 'Not authorized at Kafka',
    message: 'Kafka at {brokers} does not authorize this user: {resource}',
    hint: 'Grant the ACL with kafka-acls.sh. The producer needs Create, Describe and Write on topics of the prefix, Read on its checkpoints, Describe and Write on its transactional id, and Read and Describe on the group of the same name; a consumer needs Read and Describe on the topics and on its group.',
    ...permanent,
  },
  TW1209: {
    title: 'Topic missing',
    message: 'Kafka at {brokers} does not hold the topic that was asked for{detail}',
    hint: 'If somebody deleted the topic, start the producer again: it creates what is missing and snapshots the namespace.',
    ...permanent,
  },
  TW1210: {
    title: 'Kafka TLS failed',
    message: 'No TLS connection to Kafka at {brokers}: {reason}',
    hint: 'Give the CA of the brokers’ certificates with --kafka-tls-ca, this client’s certificate with --kafka-tls-cert, and in --kafka host names that are in the brokers’ certificates, as those in advertised.listeners must be. See docs/07-security.md.',
    ...permanent,
  },
  TW1211: {
    title: 'Too few in-sync replicas',
    message: 'Kafka at {brokers} has fewer in-sync replicas than min.insync.replicas asks for',
    hint: 'Bring the missing brokers back; writing goes on by itself then. On a single broker set min.insync.replicas=1 and transaction.state.log.min.isr=1.',
    ...passing,
  },
  TW1318: {
    title: 'Partition without a leader',
    message: 'Kafka at {brokers} has no broker that leads a partition{topic}',
    hint: 'A broker that holds it is down. `kafka-topics.sh --describe --unavailable-partitions` names such partitions; start the brokers, or reassign them.',
    ...passing,
  },
  TW1212: {
    title: 'Replication factor not possible',
    message: 'Kafka at {brokers} has too few brokers for the replication factor of a new topic',
    hint: 'Choose a replication factor that is not larger than the number of brokers.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1213: {
    title: 'Kafka too old',
    message: 'Kafka at {brokers} does not support {feature}',
    hint: 'Use a broker of version 2.1 or newer; transactions and topic settings are needed.',
    ...permanent,
  },
  TW1214: {
    title: 'The consumer slept too long',
    message: 'The group {group} stood still for {hours} h, longer than the topics keep tombstones ({retentionHours} h)',
    hint: 'Documents that were deleted meanwhile may still be in the target. Let the producer publish the state of the source again, or rebuild the target.',
    ...permanent,
  },
  TW1215: {
    title: 'Checkpoint unreadable',
    message: 'The checkpoint in {topic}, partition {partition}, offset {offset}, cannot be read: {reason}',
    hint: 'It was written by something else, or by a newer version: use that version, or another --prefix.',
    ...permanent,
  },
  TW1216: {
    title: 'Checkpoint not read in time',
    message: 'Reading the checkpoints in {topic} brought nothing more for {seconds} s',
    hint: 'A transaction that another program left open holds the topic up, or Kafka answers slowly: look into the broker’s log. It is tried again by itself.',
    ...passing,
  },
  TW1217: {
    title: 'Kafka hangs up',
    message: 'Something at {brokers} takes connections and closes them at once',
    hint: 'Most often the listener behind this port is of another kind: one with TLS needs --kafka-tls, one with SASL needs --kafka-sasl, and a plain one wants neither. Its name in listener.security.protocol.map of the broker says which. A broker that starts or stops, or a proxy with no broker behind it, does this too.',
    ...passing,
  },
  TW1218: {
    title: 'No token for Kafka',
    message: 'No token for Kafka from {from} ({reason})',
    hint: 'Check --kafka-oauth-token-url and that the token server runs, or what writes the file of --kafka-oauth-token-file. A process that runs goes on by itself as soon as there is a token.',
    ...passing,
  },
  TW1219: {
    title: 'Token server refuses',
    message: 'The token server {url} refuses this client ({reason})',
    hint: 'Check --kafka-user (the client id), --kafka-password (its secret) and --kafka-oauth-scope, and that this client may have tokens for itself (grant type client_credentials). Why, says the token server’s log.',
    ...permanent,
  },
  TW1220: {
    title: 'Transaction ended by Kafka',
    message:
      'Kafka at {brokers} ended a transaction of this producer, and no other producer has taken over: it ends those that take longer than {seconds} s',
    hint: 'Nothing is lost: the producer begins a new session from its checkpoint by itself. If it happens again and again, the process stands still for that long (suspended, without processor time), or the brokers are too slow; where their transaction.max.timeout.ms is below 60000, raise it. A late request of a session that was given up does the same once.',
    ...passing,
  },
  TW1221: {
    title: 'Checkpoint lost',
    message: 'The checkpoint is gone: {topic} knows nothing of this source, but {topics} topics under the prefix hold documents',
    hint: 'Somebody deleted the topic, or its records, or this prefix is that of another pipeline: then choose another with --prefix. Otherwise start the producer with --on-gap resnapshot, the default: it copies the collections again and removes what was deleted meanwhile from topics and targets.',
    ...permanent,
  },
  TW1222: {
    title: 'Transaction refused by Kafka',
    message: 'Kafka at {brokers} does not go on with a transaction of this producer: {reason}',
    hint: 'Nothing is lost: the producer begins a new session from its checkpoint by itself. It happens when a broker lost what it knew of the producer, for example when a leader was elected out of sync. If it happens again and again, look at the brokers’ logs.',
    ...passing,
  },
  TW1223: {
    title: 'Topics deleted, or made anew',
    message: 'Topics were deleted, or are others than they were: {topics}',
    hint: 'Nothing is lost: the producer makes what is missing, copies the collections again, and removes from topics that somebody made anew what their collections do not have. Consumers read them from the beginning. A topic that is made by hand should have as many partitions as the one before.',
    ...passing,
  },
  TW1250: {
    title: 'Topic settings that may lose data',
    message: 'Settings of topics for {kind} that may lose data: {settings}',
    hint: 'Nothing is lost yet. The warning has the command that mends them, kafka-configs.sh --alter --add-config; which value is better, and why, it says for each setting. A topic that is left as it is loses what the warning names when a broker or a consumer is away.',
    ...passing,
  },
  TW1251: {
    title: 'Partitions were added to a topic',
    message: 'Partitions were added to {topics}: {used} became {partitions}',
    hint: 'Nothing is lost: a document’s records must stay in one partition, so they go on to those that the topic had when it was filled, and the added ones stay empty. To use them, delete the topic while the producer is stopped; it makes and fills it anew, with as many as --partitions says. Consumers read it from its beginning.',
    ...passing,
  },
  TW1252: {
    title: 'Topics that one broker alone has',
    message: 'One broker of {brokers} alone has each partition of {topics}, for {kind}',
    hint: 'Nothing is lost yet. Set default.replication.factor=3 at the brokers, or --replication-factor 3 for the producer, before topics are made. Those that exist get more replicas by kafka-reassign-partitions.sh: its file names three brokers for each partition. Then set min.insync.replicas=2 for them.',
    ...passing,
  },
  TW1280: {
    title: 'Batch not decompressed',
    message: 'A batch of records in Kafka, {bytes} bytes of {codec}, cannot be decompressed: {reason}',
    hint: 'If a package is said to be missing, install again with the optional packages of this platform (npm ci without --omit=optional). Otherwise the batch is damaged, or was written by a client that does not keep to Kafka’s format: kafka-dump-log.sh --deep-iteration on the broker shows which records it holds.',
    ...permanent,
  },
  TW1240: {
    title: 'Kafka allows no transaction long enough',
    message: 'Kafka at {brokers} keeps transactions open for less than {atLeastMs} ms',
    hint: 'Raise transaction.max.timeout.ms of the brokers, whose default is 900000 (15 minutes); 60000 and more is best.',
    ...permanent,
  },
  TW1290: {
    title: 'Topic refused by a policy',
    message: 'A policy of Kafka’s refuses to create the topic {topic} ({reason})',
    hint: 'Ask whoever runs the brokers (create.topic.policy.class.name), create the topic by hand, or exclude its namespace with --exclude. Until then its changes are among the dead letters of the producer; after a restart ask for the namespace again with producer snapshot.',
    ...permanent,
  },
  TW1291: {
    title: 'Document that no topic takes',
    message: 'The document {key} of {namespace} would be a record of {bytes} bytes with its key, and a topic takes {limit}',
    hint: 'Its record in the dead letters of the producer holds what fits of it. Make the document or its _id smaller, or, where the limit is below 20 MB, raise max.message.bytes of the topic to 20971520 and start the producer again; its next change is published again, and `producer refresh` publishes it as it is.',
    ...permanent,
  },
} as const satisfies Record<string, ErrorEntry>;
