// `consumer config check` and `consumer config print`.
import { checkKafka, configCheckCommand, configPrintCommand, redactAddress, schemaRegistryOf } from '@tailwater/runtime';
import { prepareStart, startOptions } from './prepare-start.js';

const PROGRAM = 'consumer';

export const configCommands = [
  configCheckCommand({
    program: PROGRAM,
    options: startOptions,
    async prepare(given, { logger }) {
      const { kafka, target, transforming } = await prepareStart(given, logger);
      try {
        transforming.for(target);
      } catch (error) {
        await target.close();
        throw error;
      }
      const registry = schemaRegistryOf(given);
      const hops = [
        {
          name: 'Kafka',
          async connect(signal: AbortSignal) {
            const { brokers } = await checkKafka(kafka, { signal });
            return `${kafka.brokers}: brokers ${brokers.map(({ nodeId }) => nodeId).join(', ')}`;
          },
        },
        {
          name: target.kind,
          async connect(signal: AbortSignal) {
            await target.connect(signal);
            return redactAddress(given.targetUrl);
          },
        },
      ];
      if (registry !== undefined)
        hops.push({ name: 'schema registry', connect: (signal) => registry.check(signal).then(() => registry.address) });
      const close = async () => {
        await registry?.close();
        await target.close();
      };
      return { hops, close };
    },
  }),
  configPrintCommand(PROGRAM, startOptions),
];
