// `producer config check` and `producer config print`.
import { checkKafka, configCheckCommand, configPrintCommand, redactAddress } from '@tailwater/runtime';
import { checkConnectionString, connectSource } from '../source/mongo/connect.js';
import { prepareStart, startOptions } from './prepare-start.js';

const PROGRAM = 'producer';

export const configCommands = [
  configCheckCommand({
    program: PROGRAM,
    options: startOptions,
    async prepare(given, { logger }) {
      const { kafka, registry, access } = prepareStart(given, logger);
      checkConnectionString(given.mongo, access);
      const hops = [
        {
          name: 'MongoDB',
          async connect(_: AbortSignal) {
            const { client, replicaSet, version } = await connectSource(given.mongo, given.source, access);
            await client.close();
            return `${redactAddress(given.mongo)}: ${replicaSet}, MongoDB ${version}`;
          },
        },
        {
          name: 'Kafka',
          async connect(signal: AbortSignal) {
            const { brokers } = await checkKafka(kafka, { signal });
            return `${kafka.brokers}: brokers ${brokers.map(({ nodeId }) => nodeId).join(', ')}`;
          },
        },
      ];
      if (registry !== undefined)
        hops.push({ name: 'schema registry', connect: (signal) => registry.check(signal).then(() => registry.address) });
      return { hops, close: async () => registry?.close() };
    },
  }),
  configPrintCommand(PROGRAM, startOptions),
];
