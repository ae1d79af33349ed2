// TW108x: what the user says about the log, what became of it, and what a command asks before it goes on.
import { type ErrorEntry, EXIT_USAGE } from '../error-entry.js';

const usage = { retriable: false, exitCode: EXIT_USAGE } as const;

export const loggingErrors = {
  BAD_LOG_LEVEL: {
    code: 'TW1080',
    title: 'Bad log level',
    message: '{text} in --log-level is not usable: {reason}',
    hint: 'Write a level (trace, debug, info, warn, error, fatal, silent), or component=level for one part only, such as kafka=warn. docs/03-operations.md lists the components.',
    ...usage,
  },
  BAD_SIZE: {
    code: 'TW1081',
    title: 'Bad size',
    message: '{size} in --log-rotate-size is not a size',
    hint: 'Write a number of bytes, or a number followed by k, m or g, such as 100m; 0 turns rotation by size off.',
    ...usage,
  },
  BAD_SYSLOG_ADDRESS: {
    code: 'TW1083',
    title: 'Bad syslog address',
    message: 'The syslog address {address} is not usable: {reason}',
    hint: 'Write udp://host:514 or tcp://host:601. On the same machine let the syslog server listen on 127.0.0.1; journald reads stderr and needs no option.',
    ...usage,
  },
  SYSLOG_SERVER_UNREACHABLE: {
    code: 'TW1084',
    title: 'Syslog server unreachable',
    message: 'The syslog server {address} does not accept the log: {reason}',
    hint: 'Check that it runs and listens there. The process keeps working, and logs to the server again as soon as it can.',
    ...usage,
  },
  NOT_CONFIRMED: {
    code: 'TW1085',
    title: 'Not confirmed',
    message: '{command} asks for confirmation, but there is no terminal: {what}',
    hint: 'Nothing was changed. Check with --dry-run what it would do, then add --yes.',
    ...usage,
  },
  DECLINED: {
    code: 'TW1086',
    title: 'Declined',
    message: '{command} was cancelled: you did not confirm it',
    hint: 'Nothing was changed. --yes skips the question.',
    ...usage,
  },
} as const satisfies Record<string, ErrorEntry>;
