// `logging:` what is logged, where to, and how it looks.
import { z } from 'zod';
import { LOG_FORMATS } from '../../logging/logger.js';
import { ROTATE_EVERY } from '../../logging/rotation.js';
import { SYSLOG_FACILITIES } from '../../logging/syslog-message.js';
import { configOption, list, text } from '../option.js';

const group = 'Logging';

export const logging = {
  level: configOption('logLevel', list().default(['info']), {
    group,
    describe:
      'Least severity that is logged: trace, debug, info, warn, error, fatal or silent; component=level for one part, such as kafka=warn',
    placeholder: 'level',
  }),
  format: configOption('logFormat', z.enum(LOG_FORMATS).optional(), {
    group,
    describe: 'pretty for people, json for machines; when not given, pretty on a terminal',
  }),
  file: configOption('logFile', text().optional(), { group, describe: 'Log file, instead of stderr', placeholder: 'file' }),
  rotateSize: configOption('logRotateSize', text().default('100m'), {
    group,
    describe: 'Size at which the log file is rotated, such as 512k, 100m, 1g; 0 is never',
  }),
  rotateEvery: configOption('logRotateEvery', z.enum(ROTATE_EVERY).optional(), {
    group,
    describe: 'Rotate the log file on the hour, or at midnight, too',
  }),
  keep: configOption('logKeep', z.int().min(0).max(10_000).default(10), { group, describe: 'Rotated log files that are kept' }),
  syslog: configOption('logSyslog', text().optional(), {
    group,
    describe: 'Syslog server to log to, instead of stderr: udp://host:514 or tcp://host:601',
    placeholder: 'udp://host:514',
  }),
  syslogFacility: configOption('logSyslogFacility', z.enum(SYSLOG_FACILITIES).default('daemon'), {
    group,
    describe: 'What syslog files the lines under',
  }),
} as const;
