// TW1150 to TW1159: several producers of one source.
import { type ErrorEntry, EXIT_USAGE } from '../error-entry.js';

export const leadErrors = {
  TW1150: {
    title: 'Session timeout refused',
    message: 'Kafka at {brokers} does not allow a session timeout of {seconds} s for the group {group}',
    hint: 'Choose --session-timeout between the broker’s group.min.session.timeout.ms (6 s by default) and group.max.session.timeout.ms (30 min).',
    retriable: false,
    exitCode: EXIT_USAGE,
  },
} as const satisfies Record<string, ErrorEntry>;
