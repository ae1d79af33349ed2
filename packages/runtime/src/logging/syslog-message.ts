// A log line as syslog takes it: https://www.rfc-editor.org/rfc/rfc5424
import { hostname } from 'node:os';

/** By their numbers. */
export const SYSLOG_FACILITIES = [
  'kern',
  'user',
  'mail',
  'daemon',
  'auth',
  'syslog',
  'lpr',
  'news',
  'uucp',
  'cron',
  'authpriv',
  'ftp',
  'ntp',
  'audit',
  'alert',
  'clock',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
] as const;
export type SyslogFacility = (typeof SYSLOG_FACILITIES)[number];

/** pino's fatal, error, warn, info and debug as critical, error, warning, informational and debug. */
const SEVERITIES: readonly (readonly [level: number, severity: number])[] = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
];
const SEVERITY_DEBUG = 7;

/** Header fields take printable ASCII without spaces, of so many characters. */
const HOSTNAME = headerField(hostname(), 255);

export interface SyslogHeader {
  readonly facility: SyslogFacility;
  /** `producer` or `consumer`. */
  readonly name: string;
}

/**
 * One message without framing.
 *
 * @param level - pino's number
 * @param line - its line break at the end is left out
 */
export function syslogMessage({ facility, name }: SyslogHeader, level: number, line: string, atMs: number): string {
  const severity = SEVERITIES.find(([least]) => level >= least)?.[1] ?? SEVERITY_DEBUG;
  const priority = SYSLOG_FACILITIES.indexOf(facility) * 8 + severity;
  const text = line.replace(/\n$/, '');
  return `<${priority}>1 ${new Date(atMs).toISOString()} ${HOSTNAME} ${headerField(name, 48)} ${process.pid} - - ${text}`;
}

function headerField(text: string, length: number): string {
  return text.replace(/[^!-~]/g, '_').slice(0, length) || '-';
}
