// The `producer` command and its commands, as data.
import { mongoConnector } from '@tailwater/mongo-connector';
import type { CliOptions } from '@tailwater/runtime';
import { configCommands } from './config-commands.js';
import { pauseCommand, reconcileCommand, refreshCommand, resumeCommand, snapshotCommand } from './signal-commands.js';
import { startCommand } from './start-command.js';
import { statusCommand } from './status-command.js';

export const producerProgram: CliOptions = {
  name: 'producer',
  description: 'Publishes every change of a MongoDB replica set to Kafka',
  commands: [
    startCommand,
    statusCommand,
    snapshotCommand,
    reconcileCommand,
    refreshCommand,
    pauseCommand,
    resumeCommand,
    ...configCommands,
  ],
  foreign: mongoConnector,
  groups: { config: 'Check the configuration, or show what counts' },
};
