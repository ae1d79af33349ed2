// The `consumer` command.
import { createCli } from '@tailwater/runtime';
import { startCommand } from './start-command.js';
import { statusCommand } from './status-command.js';

await createCli({
  name: 'consumer',
  description: 'Applies the changes that the producer publishes to Kafka to Elasticsearch or MongoDB',
  commands: [startCommand, statusCommand],
}).run();
