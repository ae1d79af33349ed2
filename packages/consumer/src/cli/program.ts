// The `consumer` command and its commands, as data.
import { mongoConnector } from '@tailwater/mongo-connector';
import type { CliOptions } from '@tailwater/runtime';
import { convertCommand } from './config/convert-command.js';
import { configCommands } from './config-commands.js';
import { discardDeadLettersCommand } from './dead-letters/discard-command.js';
import { listDeadLettersCommand } from './dead-letters/list-command.js';
import { retryDeadLettersCommand } from './dead-letters/retry-command.js';
import { showDeadLetterCommand } from './dead-letters/show-command.js';
import { repairCommand } from './repair-command.js';
import { replayCommand } from './replay-command.js';
import { startCommand } from './start-command.js';
import { statusCommand } from './status-command.js';
import { waitCommand } from './wait-command.js';

export const consumerProgram: CliOptions = {
  name: 'consumer',
  description: 'Applies the changes that the producer publishes to Kafka to Elasticsearch, Solr or MongoDB',
  commands: [
    startCommand,
    statusCommand,
    waitCommand,
    replayCommand,
    repairCommand,
    listDeadLettersCommand,
    showDeadLetterCommand,
    retryDeadLettersCommand,
    discardDeadLettersCommand,
    convertCommand,
    ...configCommands,
  ],
  foreign: mongoConnector,
  groups: { 'dead-letters': 'Look after changes that a target refuses for good', config: 'Look after the configuration file' },
};
