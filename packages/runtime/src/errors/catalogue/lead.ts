// TW1150 to TW1159: several producers of one source, and how much of the oplog is left to them.
import { type ErrorEntry, EXIT_FAILURE, EXIT_USAGE } from '../error-entry.js';

export const leadErrors = {
  SESSION_TIMEOUT_REFUSED: {
    code: 'TW1150',
    title: 'Session timeout refused',
    message: 'Kafka at {brokers} does not allow a session timeout of {seconds} s for the group {group}',
    hint: 'Choose --session-timeout between the broker’s group.min.session.timeout.ms (6 s by default) and group.max.session.timeout.ms (30 min).',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
  OPLOG_HEADROOM_LOW: {
    code: 'TW1151',
    title: 'Oplog headroom is low',
    message: 'Less than {level} % of the oplog is left before it overwrites the checkpoint',
    hint: 'This is a warning: nothing is lost yet. Find out what slows the producer down (usually Kafka), or enlarge the oplog in time: db.adminCommand({replSetResizeOplog: 1, size: <MB>}) on every member.',
    retriable: true,
    exitCode: EXIT_FAILURE,
  },
} as const satisfies Record<string, ErrorEntry>;
