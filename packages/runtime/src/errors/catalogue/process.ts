// TW14xx: the process itself and the machine that it runs on.
import { type ErrorEntry, EXIT_FAILURE } from '../error-entry.js';

const permanent = { retriable: false, exitCode: EXIT_FAILURE } as const;
const passing = { retriable: true, exitCode: EXIT_FAILURE } as const;

export const processErrors = {
  PORT_IN_USE: {
    code: 'TW1401',
    title: 'Port in use',
    message: 'The status server cannot listen on {host}:{port}: the port is in use',
    hint: 'Another process, maybe another instance of this one, listens there. Choose another --status-port; 0 takes any free one.',
    ...permanent,
  },
  CANNOT_LISTEN: {
    code: 'TW1402',
    title: 'Cannot listen',
    message: 'The status server cannot listen on {host}:{port}: {reason}',
    hint: 'Choose an address of this machine as --status-host (127.0.0.1, or 0.0.0.0 for all) and a port above 1023.',
    ...permanent,
  },
  DISK_FULL: {
    code: 'TW1403',
    title: 'Disk full',
    message: 'No space left to write {path}',
    hint: 'Free space on that disk, then start again; work goes on from the last checkpoint.',
    ...passing,
  },
  SHUTDOWN_TIMED_OUT: {
    code: 'TW1404',
    title: 'Shutdown took too long',
    message: 'Not everything was finished within {seconds} s after the signal. Left: {left}',
    hint: 'Nothing is lost: what was not committed is done again at the next start. A server that is down or frozen can delay the end that long; --shutdown-timeout gives the process more time.',
    ...passing,
  },
  FILE_NOT_WRITTEN: {
    code: 'TW1405',
    title: 'Cannot write a file',
    message: 'Cannot write {path}: {reason}',
    hint: 'Check the path and that this user may write there.',
    ...permanent,
  },
  UNEXPECTED_ERROR: {
    code: 'TW1499',
    title: 'Unexpected error',
    message: 'Unexpected error: {reason}',
    hint: 'This is a defect of the program. Start again (work goes on from the last checkpoint), and report the lines below if it comes back.',
    ...permanent,
  },
} as const satisfies Record<string, ErrorEntry>;
