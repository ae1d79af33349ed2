// `consumer wait`: ends when a target has everything up to a moment.
import {
  type Command,
  checkKafka,
  compileNamespaceRules,
  createKafka,
  errorCodes,
  kafkaConnection,
  list,
  option,
  TailwaterError,
  text,
  toggle,
  wholeNumber,
} from '@tailwater/runtime';
import { isTopicPrefix } from '@tailwater/schema';
import type { AppliedWatch, Awaited } from '../watermark/applied-watch.js';
import { includesName } from '../watermark/names.js';
import { appliedWatch } from '../watermark/open-watch.js';
import { parseUntil } from '../watermark/until.js';
import { type WaitOutcome, waitFor } from '../watermark/wait-for.js';
import { kafkaOptions, targetOptions } from './options.js';
import { targetName } from './target-name.js';
import { transformOptions } from './transforming.js';

const { include, exclude, gridfs } = transformOptions;

const options = {
  target: targetOptions.target,
  name: targetOptions.name,
  ...kafkaOptions,
  include,
  exclude,
  gridfs,
  namespace: option(list().default([]), {
    group: 'Which',
    describe: 'Namespaces to wait for, db.collection with * as wildcard, as they are called in the source; all when none is named',
  }),
  until: option(text().default('now'), {
    group: 'Which',
    describe: 'now, a time of the cluster t:i as the operationTime of a write has it, or a date such as 2026-01-31T12:00:00Z',
  }),
  timeout: option(wholeNumber({ min: 1, max: 86_400 }).default(30), { group: 'Which', describe: 'Seconds to wait; after them it fails' }),
  json: option(toggle(), { group: 'Output', describe: 'Print JSON instead of text' }),
} as const;

export const waitCommand: Command<typeof options> = {
  name: 'wait',
  summary: 'Wait until a target has everything up to a moment',
  description:
    'Ends with 0 when every change up to the moment is applied: by whichever processes, or put aside as a dead letter, or left out by a filter. Ends with 1 when that takes longer than --timeout. Give it the consumer’s --include and --exclude.',
  options,
  examples: [
    ['$0 wait --target es --prefix tw', 'everything that is in MongoDB now'],
    ["$0 wait --target es --prefix tw --namespace 'shop.*' --until 1785312000:1 --timeout 10", 'one write, by its operationTime'],
  ],
  async run(given, { stdout, logger, signal }) {
    if (!isTopicPrefix(given.prefix)) throw new TailwaterError(errorCodes.BAD_TOPIC_PREFIX, { prefix: given.prefix });
    const until = parseUntil(given.until);
    const group = `${given.prefix}.${targetName(given.name ?? given.target)}`;
    const kafka = createKafka(kafkaConnection(given, 'tailwater-wait'), logger, 'command');
    await checkKafka(kafka, { signal });
    const scope = { prefix: given.prefix, groupId: group, includes: includesName(compileNamespaceRules(given)) };
    const watch = appliedWatch(kafka, scope, logger);
    const awaited = { until, namespaces: given.namespace, includes: includesName(compileNamespaceRules({ include: given.namespace })) };
    const outcome = await waitWithin(watch, awaited, given.timeout, signal);
    if ('reason' in outcome) {
      const { reason } = outcome;
      throw new TailwaterError(errorCodes.NOT_APPLIED_IN_TIME, { group, until: given.until, seconds: given.timeout, reason });
    }
    stdout.write(given.json ? `${JSON.stringify({ group, ...outcome }, null, 2)}\n` : toText(group, outcome.applied));
  },
};

/** Looks on for as long as it waits. */
async function waitWithin(watch: AppliedWatch, awaited: Awaited, seconds: number, signal: AbortSignal): Promise<WaitOutcome> {
  const ended = new AbortController();
  const running = watch.run(AbortSignal.any([signal, ended.signal]));
  try {
    return await waitFor(watch, awaited, seconds, signal);
  } finally {
    ended.abort();
    await running;
  }
}

const toText = (group: string, applied: Readonly<Record<string, string>>): string =>
  `${group} has everything up to ${Object.entries(applied)
    .map(([source, position]) => `${position} of ${source}`)
    .join(', ')}\n`;
