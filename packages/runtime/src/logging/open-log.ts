// The log as the options say: which lines, where to, and what becomes of it when the process ends.
import { type DestinationStream, pino } from 'pino';
import { systemClock } from '../async/clock.js';
import type { TailwaterError } from '../errors/tailwater-error.js';
import type { LogFallback } from './log-fallback.js';
import { checkLogFile, LogFile } from './log-file.js';
import { parseLogLevels } from './log-levels.js';
import { createLogger, type LogFormat, type Logger, prettyLines } from './logger.js';
import { parseSize, type RotateEvery } from './rotation.js';
import { Syslog } from './syslog.js';
import { formatSyslogAddress, parseSyslogAddress } from './syslog-address.js';
import type { SyslogFacility } from './syslog-message.js';

/** What a syslog server gets to take the last lines. */
const CLOSE_TIMEOUT_MS = 1_000;

export interface LogSettings {
  readonly logLevel: readonly string[];
  readonly logFormat: LogFormat | undefined;
  readonly logFile: string | undefined;
  readonly logRotateSize: string;
  readonly logRotateEvery: RotateEvery | undefined;
  readonly logKeep: number;
  readonly logSyslog: string | undefined;
  readonly logSyslogFacility: SyslogFacility;
}

export interface Log {
  readonly logger: Logger;
  /** Whether it goes to stderr, which errors are printed to as well. */
  readonly isOnStderr: boolean;
  /** Where else it goes. */
  readonly places: readonly string[];
  /** Resolves when every line is out, or after a second. */
  close(): Promise<void>;
}

/**
 * To stderr, or to a file or a syslog server or both instead.
 *
 * @param name - `producer` or `consumer`
 * @throws TailwaterError TW1080, TW1081, TW1083 for invalid values; TW1403, TW1405 for a file that cannot be written
 */
export async function openLog(name: string, settings: LogSettings): Promise<Log> {
  const levels = parseLogLevels(settings.logLevel);
  const rotation = { bytes: parseSize(settings.logRotateSize), every: settings.logRotateEvery, keep: settings.logKeep };
  const address = settings.logSyslog === undefined ? undefined : parseSyslogAddress(settings.logSyslog);
  const format = settings.logFormat === undefined ? {} : { format: settings.logFormat };
  const onStderr = createLogger({ name, levels, ...format });
  if (settings.logFile === undefined && address === undefined)
    return { logger: onStderr, isOnStderr: true, places: [], close: async () => {} };

  const fallback = fallbackTo(onStderr);
  const file = settings.logFile === undefined ? undefined : new LogFile(settings.logFile, rotation, fallback, systemClock);
  // With a file beside it nothing is lost, and nothing of it belongs on stderr.
  const beside: LogFallback = file === undefined ? fallback : { ...fallback, write: () => {} };
  const syslog = address === undefined ? undefined : new Syslog({ address, facility: settings.logSyslogFacility, name, fallback: beside });
  await syslog?.open();
  const toText = settings.logFormat === 'pretty' ? prettyLines() : (line: string) => line;
  const destination: DestinationStream & { lastLevel: number } = {
    lastLevel: pino.levels.values['info'] ?? 30,
    // pino then sets `lastLevel` before each line: https://getpino.io/#/docs/api?id=destination-object
    [pino.symbols.needsMetadataGsym]: true,
    write(line) {
      const text = toText(line);
      file?.write(text);
      syslog?.write(text, this.lastLevel);
    },
  } as DestinationStream & { lastLevel: number };
  const logger = createLogger({ name, levels, format: 'json', destination });
  return {
    logger,
    isOnStderr: false,
    places: [
      ...(settings.logFile === undefined ? [] : [settings.logFile]),
      ...(address === undefined ? [] : [formatSyslogAddress(address)]),
    ],
    async close() {
      file?.close();
      const timeout = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_TIMEOUT_MS).unref());
      await Promise.race([syslog?.close(), timeout]);
    },
  };
}

/**
 * Whether {@link openLog} would open it; nothing is opened.
 *
 * @throws TailwaterError as {@link openLog} does
 */
export function checkLog(settings: LogSettings): void {
  parseLogLevels(settings.logLevel);
  parseSize(settings.logRotateSize);
  if (settings.logSyslog !== undefined) parseSyslogAddress(settings.logSyslog);
  if (settings.logFile !== undefined) checkLogFile(settings.logFile);
}

function fallbackTo(onStderr: Logger): LogFallback {
  const stderr = pino.destination({ dest: 2, sync: true });
  return {
    write: (line) => void stderr.write(line),
    failed: (error: TailwaterError) =>
      onStderr.error({ code: error.code, hint: error.hint }, `${error.message}. Until it can, the log goes to stderr`),
    recovered: (message) => onStderr.info(message),
  };
}
