// mongo-connector as a program whose configuration a start takes.
import type { ForeignConfiguration } from '@tailwater/runtime';
import { FOREIGN_OPTIONS, FOREIGN_SECRET_FLAGS } from './command-line.js';
import { readConfiguration } from './read-configuration.js';

export const mongoConnector: ForeignConfiguration = {
  options: FOREIGN_OPTIONS,
  targetOption: 'doc-manager',
  fileOption: 'config-file',
  secretFlags: FOREIGN_SECRET_FLAGS,
  read: readConfiguration,
};
