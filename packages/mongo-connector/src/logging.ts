// verbosity and logging: how much is logged, and where to.
import { parseSyslogAddress } from '@tailwater/runtime';
import type { Notices } from './notices.js';
import type { Reader } from './reader.js';
import { put, type Tree } from './tree.js';

/** By verbosity: ERROR, WARNING, INFO, DEBUG. */
const LEVELS = ['error', 'warn', 'info', 'debug'] as const;
const TYPES = ['file', 'syslog', 'stream'] as const;

const DEFAULT_FILE = 'mongo-connector.log';
const DEFAULT_BACKUPS = 7;
const DEFAULT_SYSLOG = 'localhost:514';
const DEFAULT_FACILITY = 'user';

/** Where the log of each process is told: both would rotate one file at the same time. */
export interface LogHolder {
  /** `producer`, `targets.es` */
  readonly path: string;
  /** What is put into the file's name. */
  readonly name: string;
}

export function convertLogging(config: Reader, tree: Tree, notices: Notices, holders: readonly LogHolder[]): void {
  const verbosity = config.number('verbosity');
  if (verbosity !== undefined) {
    if (LEVELS[verbosity] === undefined) config.fail(`verbosity must be from 0 to 3, not ${verbosity}`);
    put(tree, 'logging.level', LEVELS[verbosity], 'verbosity');
  }
  const part = config.part('logging');
  const type = part.choice('type', TYPES);
  // As for mongo-connector, an empty one counts as absent.
  const filename = part.text('filename')?.trim() || undefined;
  const when = part.text('rotationWhen');
  const interval = part.number('rotationInterval', { min: 1 });
  const backups = part.number('rotationBackups');
  const host = part.text('host')?.trim() || undefined;
  const facility = part.any('facility');
  if (part.text('format') !== undefined)
    notices.replaced('logging.format', 'lines are JSON, or text for people: logging.format json | pretty');
  notices.ignored(part.unread);
  if (type === 'syslog') {
    put(tree, 'logging.syslog', syslogAddress(host ?? DEFAULT_SYSLOG, notices), part.name('host'));
    put(tree, 'logging.syslogFacility', String(facility ?? DEFAULT_FACILITY), part.name('facility'));
  } else if (type === 'file' || (type === undefined && filename !== undefined)) {
    for (const holder of holders) {
      put(tree, `${holder.path}.logging.file`, withName(filename ?? DEFAULT_FILE, holder.name), part.name('filename'));
    }
    notices.note('logging.filename', 'each process has a file of its own: producer and target are in its name');
    put(tree, 'logging.rotateEvery', rotation(when, interval, notices), part.name('rotationWhen'));
    put(tree, 'logging.keep', backups || DEFAULT_BACKUPS, part.name('rotationBackups'));
    if (backups === 0) {
      notices.replaced('logging.rotationBackups', `old files are always removed some day; ${DEFAULT_BACKUPS} are kept`);
    }
  }
}

/** `/var/log/x.log` as `/var/log/x.producer.log` */
function withName(file: string, name: string): string {
  const [, stem = file, end = ''] = /^(.*[^/])(\.[^./]+)$/.exec(file) ?? [];
  return `${stem}.${name}${end}`;
}

/** Python's rotation knows more rhythms. The nearest one that keeps the files no larger is taken. */
function rotation(when: string | undefined, interval: number | undefined, notices: Notices): 'hourly' | 'daily' {
  const unit = (when ?? 'midnight').toUpperCase();
  const rhythm = ['S', 'M', 'H'].includes(unit) ? 'hourly' : 'daily';
  const isExact = (unit === 'H' || unit === 'D' || unit === 'MIDNIGHT') && (interval ?? 1) === 1;
  if (!isExact) notices.replaced('logging.rotationWhen', `files rotate ${rhythm}`);
  return rhythm;
}

function syslogAddress(host: string, notices: Notices): string {
  if (!host.startsWith('/')) {
    parseSyslogAddress(`udp://${host}`);
    return `udp://${host}`;
  }
  notices.replaced('logging.host', `a socket file such as ${host} cannot be written to; ${DEFAULT_SYSLOG} is used`);
  return `udp://${DEFAULT_SYSLOG}`;
}
