// The options that every command has.
import { defineOptions } from '../config/option-spec.js';
import { LOG_FORMATS, LOG_LEVELS } from '../logging/logger.js';

export const generalOptions = defineOptions({
  config: { type: 'string', group: 'General:', describe: 'YAML or JSON file with values for any of the options' },
  logLevel: { type: 'string', group: 'General:', describe: 'Least severity that is logged', choices: LOG_LEVELS, default: 'info' },
  logFormat: {
    type: 'string',
    group: 'General:',
    describe: 'pretty for people, json for machines; when not given, pretty on a terminal',
    choices: LOG_FORMATS,
  },
});
