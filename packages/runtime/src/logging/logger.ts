// The log: JSON lines for machines, readable ones on a terminal, always on stderr so that stdout stays for output. Written
// synchronously and in this thread: a line that was logged is out even when the next statement ends the process.
import { type DestinationStream, type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { REDACTED, redact } from '../errors/redact.js';
import { useColor } from '../text/color.js';
import type { LogLevels } from './log-levels.js';
import { serializeError } from './serialize-error.js';

export type { Logger } from 'pino';

export const LOG_FORMATS = ['pretty', 'json'] as const;

export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LoggerOptions {
  /** `producer` or `consumer`: the `name` of every line. */
  readonly name: string;
  /** The least important level that is written. Default `info`. */
  readonly level?: string;
  /** The same with other levels for single components; beats `level`. */
  readonly levels?: LogLevels;
  /** Default `pretty` when stderr is a terminal, else `json`. */
  readonly format?: LogFormat;
  /** Where lines go. Default stderr. */
  readonly destination?: DestinationStream;
}

const SECRET_KEYS = ['password', 'passphrase', 'apiKey', 'token', 'secret', 'authorization'];

/**
 * A pino logger. Each component takes a child: `logger.child({ component: 'oplog' })`. Errors go in as `{ err: error }`.
 *
 * Secrets are masked twice: pino's `redact` for keys that name one, and a pass over the finished line for those inside texts.
 */
export function createLogger(options: LoggerOptions): Logger {
  const terminal = options.destination === undefined && process.stderr.isTTY === true;
  const format = options.format ?? (terminal ? 'pretty' : 'json');
  const destination = options.destination ?? pino.destination({ dest: 2, sync: true });
  return pino(
    {
      name: options.name,
      level: options.levels?.level ?? options.level ?? 'info',
      onChild: (child) => setLevel(child, options.levels),
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError, error: serializeError },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: REDACTED },
      hooks: { streamWrite: redact },
    },
    format === 'pretty' ? prettyStream(destination, terminal) : destination,
  );
}

/** A child of a child keeps its parent's level, unless it is of another component. */
function setLevel(child: Logger, levels: LogLevels | undefined): void {
  if (levels === undefined || levels.components.size === 0) return;
  const level = levels.components.get(String(child.bindings()['component']));
  if (level !== undefined) child.level = level;
}

/** A line for people from one for machines; with colours if so told. */
export function prettyLines(colorize = false): (line: string) => string {
  return prettyFactory({
    colorize,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: 'pid,hostname,name,component',
    messageFormat: (line, messageKey) => {
      const message = String(line[messageKey] ?? '');
      return line['component'] === undefined ? message : `[${String(line['component'])}] ${message}`;
    },
    singleLine: true,
  });
}

function prettyStream(destination: DestinationStream, terminal: boolean): DestinationStream {
  const format = prettyLines(terminal && useColor(process.stderr));
  // On a terminal a line first clears the one that the cursor is on: a progress bar, which draws itself again below.
  const clear = terminal ? '\r\u001b[K' : '';
  return { write: (line) => destination.write(clear + format(line)) };
}
