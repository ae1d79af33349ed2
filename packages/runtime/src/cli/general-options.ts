// The options that every command has.
import { option, text } from '../config/option.js';
import { configOptions } from '../config/schema/configuration.js';

const { logLevel, logFormat, logFile, logRotateSize, logRotateEvery, logKeep, logSyslog, logSyslogFacility } = configOptions;

export const generalOptions = {
  config: option(text().optional(), {
    group: 'General',
    describe: 'YAML or JSON file, see docs/configuration.md; no file is read by default',
    alias: 'c',
    placeholder: 'file',
  }),
  logLevel,
  logFormat,
  logFile,
  logRotateSize,
  logRotateEvery,
  logKeep,
  logSyslog,
  logSyslogFacility,
} as const;
