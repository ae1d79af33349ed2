// TW1350 to TW1369: what a consumer puts aside, reads again, or has missed.
import { type ErrorEntry, EXIT_FAILURE, EXIT_USAGE } from '../error-entry.js';

const permanent = { retriable: false, exitCode: EXIT_FAILURE } as const;

export const consumerErrors = {
  TW1350: {
    title: 'Target refused changes for too long',
    message: '{target} did not take changes for {seconds} s: {reason}',
    hint: 'Nothing is lost: what was not applied is not committed. Look after the target and start again, or raise --retry-for; 0 waits for ever.',
    ...permanent,
  },
  TW1351: {
    title: 'Dead letter not written',
    message: 'Kafka does not take dead letters into {topic}: {reason}',
    hint: 'The topic needs cleanup.policy=compact and max.message.bytes of at least 25165824. Without it, --on-error skip or stop.',
    ...permanent,
  },
  TW1352: {
    title: 'Topic not read to its end',
    message: 'Nothing more came of {topics} for {seconds} s, before the end',
    hint: 'Most likely somebody left a transaction open. Try again in some minutes.',
    retriable: true,
    exitCode: EXIT_FAILURE,
  },
  TW1353: {
    title: 'Consumer group at work',
    message: 'The group {group} is at work ({members} members): {operation} has to wait until it stands still',
    hint: 'Stop every `consumer start` of this target, wait a moment, and give the command again.',
    ...permanent,
  },
  TW1354: {
    title: 'No such dead letter',
    message: 'There is no dead letter {id} in {topic}',
    hint: 'Look at those there are with `consumer dead-letters list`.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1355: {
    title: 'Which dead letters?',
    message: 'Say which dead letters to {operation}',
    hint: "Give the id of one, --namespace 'shop.*', or --all.",
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1356: {
    title: 'Dead letter for another name',
    message: 'The dead letter {id} was on its way to {destination}, with the options given here it would go to {actual}',
    hint: 'Give the retry the same --rename, --include and --exclude as the consumer has; a configuration file for both helps.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1357: {
    title: 'Dead letters refused again',
    message: '{count} of {total} dead letters are still there',
    hint: 'The list above says why. Correct the mapping or schema of the target and try again, or discard them.',
    ...permanent,
  },
  TW1358: {
    title: 'Replay not understood',
    message: 'A replay cannot begin at {from}',
    hint: 'Give --from beginning, a time such as 2026-01-31T12:00:00Z, or an offset such as 1234.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1359: {
    title: 'Deletes may have been missed',
    message: 'The group was not in step with {topics} from {from} on, for longer than deletes are kept there',
    hint: 'Documents deleted in that time may still be in the target. Stop the consumers and run `consumer repair` with their options; --dry-run shows what it would remove.',
    ...permanent,
  },
  TW1360: {
    title: 'Nothing to replay',
    message: 'No topic of the prefix {prefix} is of the namespaces {namespaces}',
    hint: 'Names are those in the source, database.collection with * as wildcard. `consumer status` shows the topics of each group.',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  TW1361: {
    title: 'A namespace waits',
    message: '{target} does not take changes of {namespace} at the moment: {reason}',
    hint: 'Look after the index, core or collection: opened, writable, with a write index, with the rights. The changes are tried again until they are taken, nothing is lost, and other namespaces go on. --exclude leaves the namespace out.',
    retriable: true,
    exitCode: EXIT_FAILURE,
  },
  TW1362: {
    title: 'Nearly everything of a namespace is refused',
    message: '{target} refuses nearly every document of {namespace}, the last one because of: {reason}',
    hint: 'Mostly the mapping, schema or transform is wrong: correct it, and the namespace goes on by itself. It waits, instead of filling the dead letters. If they are to be dead letters, start with --refusal-limit 0.',
    retriable: true,
    exitCode: EXIT_FAILURE,
  },
  TW1363: {
    title: 'Answer of somebody else',
    message: 'What answers at {address} is not {target}: {reason}',
    hint: 'Look for a proxy, a load balancer or a login page on the way, and check the path of the address. Nothing counts as applied or refused meanwhile: everything is tried again until the target itself answers.',
    retriable: true,
    exitCode: EXIT_FAILURE,
  },
  TW1364: {
    title: 'Kafka has lost records',
    message: 'Kafka has lost records of {topic}: from offset {from} on its log is not the one that was read, up to {to}',
    hint: 'A broker that was not in sync became the leader, or the only one in sync lost its disk. What the log holds now is read. Changes and deletes that it has lost are missing for everybody: run `producer reconcile --namespace <db.coll>` for the topic’s collection; when that is applied, stop the consumers and run `consumer repair`.',
    ...permanent,
  },
} as const satisfies Record<string, ErrorEntry>;
