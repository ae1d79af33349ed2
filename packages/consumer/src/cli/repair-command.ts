// `consumer repair`: removes from a target the documents whose deletes it missed. What it lacks, the group applies by itself.
import {
  type Command,
  checkKafka,
  compileNamespaceRules,
  createKafka,
  errorCodes,
  formatCount,
  kafkaConnection,
  list,
  option,
  registryOptions,
  renderTable,
  TailwaterError,
  toggle,
} from '@tailwater/runtime';
import { isTopicPrefix } from '@tailwater/schema';
import type { StaleDocumentsReport } from '../repair/remove-stale-documents.js';
import { repairGroup } from '../repair/repair-group.js';
import { configuredTarget, openOptions } from './configured-target.js';
import { kafkaOptions } from './options.js';
import { openSchemas } from './schemas.js';
import { targetName } from './target-name.js';
import { prepareTransform, transformOptions } from './transforming.js';

const options = {
  ...openOptions,
  ...kafkaOptions,
  ...transformOptions,
  ...registryOptions,
  namespace: option(list().default([]), {
    group: 'Which',
    describe: 'Namespaces to repair, db.collection with * as wildcard, as they are called in the source; all when none is named',
  }),
  allowMost: option(toggle(), { group: 'Which', describe: 'Remove also when it is more than half of what the target holds' }),
  dryRun: option(toggle(), { group: 'Output', describe: 'Only show what it would do' }),
  json: option(toggle(), { group: 'Output', describe: 'Print JSON instead of a table' }),
} as const;

export const repairCommand: Command<typeof options> = {
  name: 'repair',
  summary: 'Remove documents from a target whose deletes it missed (TW1359)',
  description:
    'Compares every document of the target with the topics, and removes documents that the topics do not have. Give it the consumer’s options, and stop all consumers of the target. The topics must be complete copies, and the target must hold no documents of other programs: they would be removed too. Try --dry-run first.',
  options,
  examples: [
    ['$0 repair --config tailwater.yaml --dry-run', 'what it would do'],
    ["$0 repair --target es --target-url http://127.0.0.1:9200 --prefix tw --namespace 'shop.*'", 'one database'],
  ],
  async run(given, { stdout, logger, signal }) {
    if (!isTopicPrefix(given.prefix)) throw new TailwaterError(errorCodes.BAD_TOPIC_PREFIX, { prefix: given.prefix });
    const transforming = await prepareTransform(given);
    const chosen = compileNamespaceRules({ include: given.namespace });
    const kafka = createKafka(kafkaConnection(given, 'tailwater-repair'), logger, 'command');
    const target = await configuredTarget(given);
    try {
      await Promise.all([checkKafka(kafka, { signal }), target.connect(signal)]);
      await using registry = await openSchemas(given, logger, signal);
      const request = {
        prefix: given.prefix,
        group: `${given.prefix}.${targetName(given.name ?? given.target)}`,
        includes: ({ database, collection }: { database: string; collection: string }) => transforming.rules.includes(database, collection),
        chosen: ({ database, collection }: { database: string; collection: string }) => chosen.includes(database, collection),
        ...transforming.for(target),
        target,
        schemas: registry.schemas,
        dryRun: given.dryRun,
        allowMost: given.allowMost,
      };
      const places = await repairGroup(kafka, request, signal);
      const { group } = request;
      stdout.write(given.json ? `${JSON.stringify({ group, dryRun: given.dryRun, places }, null, 2)}\n` : toText(places, given.dryRun));
    } finally {
      await target.close();
    }
  },
};

function toText(places: readonly StaleDocumentsReport[], dryRun: boolean): string {
  const rows = places.map(({ place, documents, living, stray, removed, examples }) => [
    place,
    formatCount(documents),
    formatCount(living),
    formatCount(stray),
    formatCount(removed),
    examples.join(', ').slice(0, 60),
  ]);
  const table = renderTable(['at the target', 'documents', 'in the topics', 'too many', 'removed', 'such as'], rows);
  return `${table}\n${dryRun ? 'Nothing was changed: this was a dry run\n' : ''}`;
}
