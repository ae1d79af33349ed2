// What the exit codes mean, for --help and the documentation.
import { EXIT_FAILURE, EXIT_USAGE } from '../errors/error-entry.js';

/** A defect of the program, EX_SOFTWARE of sysexits.h. */
export const EXIT_DEFECT = 70;

/** Stopped with work unfinished, which the next start does again: EX_TEMPFAIL of sysexits.h. */
export const EXIT_UNFINISHED = 75;

export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done; or stopped by SIGINT or SIGTERM, with everything under way finished'],
  [EXIT_FAILURE, 'failed: the error says whether trying again helps, and what to do'],
  [EXIT_USAGE, 'a wrong command line, environment or configuration, or a question that nobody answered; nothing was touched'],
  [EXIT_DEFECT, 'a defect of the program'],
  [
    EXIT_UNFINISHED,
    'stopped by SIGINT or SIGTERM, but what was under way did not finish within --shutdown-timeout; the next start does it again',
  ],
  [130, 'ended at once by a second Ctrl-C (SIGINT)'],
  [143, 'ended at once by a second SIGTERM'],
];
