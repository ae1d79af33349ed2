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
    hint: 'Write a number of bytes, or one with k, m or g behind it, such as 100m; 0 rotates at no size.',
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
    message: 'The syslog server {address} does not take the log: {reason}',
    hint: 'Check that it runs and listens there. Work goes on meanwhile, and the log goes there again by itself.',
    ...usage,
  },
  NOT_CONFIRMED: {
    code: 'TW1085',
    title: 'Not confirmed',
    message: '{command} asks before it goes on, and there is no terminal to ask at: {what}',
    hint: 'Nothing was changed. Look at what it would do with --dry-run, then give --yes.',
    ...usage,
  },
  DECLINED: {
    code: 'TW1086',
    title: 'Declined',
    message: '{command} was not done: you did not say yes',
    hint: 'Nothing was changed. --yes does it without asking.',
    ...usage,
  },
} as const satisfies Record<string, ErrorEntry>;
