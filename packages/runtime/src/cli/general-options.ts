// The options that every command has.
import { defineOptions } from '../config/option-spec.js';
import { LOG_FORMATS } from '../logging/logger.js';
import { ROTATE_EVERY } from '../logging/rotation.js';
import { SYSLOG_FACILITIES } from '../logging/syslog-message.js';

const group = 'Logging:';

export const generalOptions = defineOptions({
  config: { type: 'string', group: 'General:', describe: 'YAML or JSON file with values for any of the options' },
  logLevel: {
    type: 'list',
    group,
    describe:
      'Least severity that is logged: trace, debug, info, warn, error, fatal or silent; component=level for one part, such as kafka=warn',
    default: ['info'],
  },
  logFormat: {
    type: 'string',
    group,
    describe: 'pretty for people, json for machines; when not given, pretty on a terminal',
    choices: LOG_FORMATS,
  },
  logFile: { type: 'string', group, describe: 'File to log to, instead of stderr' },
  logRotateSize: {
    type: 'string',
    group,
    describe: 'Size at which the log file is rotated, such as 512k, 100m, 1g; 0 is never',
    default: '100m',
  },
  logRotateEvery: { type: 'string', group, describe: 'Rotate the log file on the hour, or at midnight, too', choices: ROTATE_EVERY },
  logKeep: { type: 'number', group, describe: 'Rotated log files that are kept', default: 10, min: 0, max: 10_000 },
  logSyslog: { type: 'string', group, describe: 'Syslog server to log to, instead of stderr: udp://host:514 or tcp://host:601' },
  logSyslogFacility: {
    type: 'string',
    group,
    describe: 'What syslog files the lines under',
    choices: SYSLOG_FACILITIES,
    default: 'daemon',
  },
});
