// The log of a component under test, kept for looking at.
import { createLogger, type Logger } from '@tailwater/runtime';

export interface LoggedLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export function keptLog(): { logger: Logger; lines: LoggedLine[] } {
  const lines: LoggedLine[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line) as LoggedLine) };
  return { logger: createLogger({ name: 'test', level: 'debug', format: 'json', destination }), lines };
}
