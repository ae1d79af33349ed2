// `consumer dead-letters retry`: applies refused changes again, once the mapping, the schema or the release has been corrected.
import { type Command, type Logger, type OptionValues, registryOptions, renderTable, TailwaterError } from '@tailwater/runtime';
import { namespaceOfTopic, type SchemaIds } from '@tailwater/schema';
import { createTarget, ownOptions } from '../../apply/registry.js';
import type { Target } from '../../apply/target.js';
import type { DeadLetter } from '../../dead-letters/dead-letter.js';
import { standingOf } from '../../dead-letters/newest-records.js';
import { type RetryResult, retryLetters } from '../../dead-letters/retry-letters.js';
import { assertStandsStill } from '../../subscribe/kafka-groups.js';
import type { Transform } from '../../transform/transform.js';
import { batchOptions, targetOptions } from '../options.js';
import { openSchemas } from '../schemas.js';
import { prepareTransform, transformOptions } from '../transforming.js';
import { choiceOptions, chosenLetters, ID_POSITIONAL, type OpenLetters, withLetters } from './letters-options.js';

const options = {
  ...choiceOptions,
  targetUrl: targetOptions.targetUrl,
  targetOption: targetOptions.targetOption,
  requestTimeout: batchOptions.requestTimeout,
  ...transformOptions,
  ...registryOptions,
  ...ownOptions,
} as const;

const CONNECT_TIMEOUT_MS = 15_000;

export const retryLettersCommand: Command<typeof options> = {
  name: 'dead-letters retry',
  summary: 'Apply refused changes again; nothing newer is overwritten',
  description:
    'Applies dead letters again, with the options that the consumer has. A letter whose document changed since is removed instead: the consumer applies the newer change, or has. What is refused again stays. A target that compares no versions (mongo) needs its consumers stopped meanwhile.',
  options,
  positionals: { id: { ...ID_POSITIONAL.id, required: false } },
  examples: [
    ['$0 dead-letters retry --all --target es --target-url http://127.0.0.1:9200 --prefix tw', 'all of them'],
    ['$0 dead-letters retry tw.shop.orders/3/1234 --config tailwater.yaml', 'one, with the consumer’s own configuration'],
  ],
  async run(given, context) {
    const { logger, signal } = context;
    const settings = {
      url: given.targetUrl,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      requestTimeoutMs: given.requestTimeout * 1000,
      autoCommitInterval: undefined,
      options: given.targetOption,
      own: given,
    };
    const transform = await transformOf(given);
    const target = await createTarget(given.target, settings);
    try {
      await target.connect(signal);
      await withLetters(given, context, async (open) => {
        if (target.comparesVersions !== true && !given.dryRun) await standsStill(open);
        const chosen = await chosenLetters(open.letters, given, { id: context.arguments['id'], operation: 'retry', signal });
        if (given.dryRun) {
          context.stdout.write(await preview(chosen, open, given.json, signal));
          return;
        }
        await using registry = await openSchemas(given, logger, signal);
        const { schemas } = registry;
        const results = await retry(chosen, open, { target, transform: transform(target), schemas, prefix: given.prefix, logger, signal });
        context.stdout.write(given.json ? `${JSON.stringify({ results }, null, 2)}\n` : toText(results));
        const count = results.filter(isStillThere).length;
        if (count > 0) throw new TailwaterError('TW1357', { count, total: results.length });
      });
    } finally {
      await target.close();
    }
  },
};

/** What the consumer does to each change, given the same options. */
async function transformOf(given: OptionValues<typeof transformOptions>): Promise<(target: Target) => Transform> {
  const transforming = await prepareTransform(given);
  return (target) => {
    const transform = transforming.for(target);
    return (change) =>
      transforming.rules.includes(change.namespace.database, change.namespace.collection) ? transform(change) : undefined;
  };
}

/** @throws TailwaterError TW1353 when the group has members: two writers, and nothing that tells old from new */
async function standsStill({ kafka, group }: OpenLetters): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await assertStandsStill(admin, group, 'a retry into a target that compares no versions');
  } finally {
    await admin.disconnect();
  }
}

interface RetryContext {
  readonly target: Target;
  readonly transform: Transform;
  readonly schemas: SchemaIds;
  readonly prefix: string;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

function retry(chosen: readonly DeadLetter[], { kafka, letters }: OpenLetters, context: RetryContext): Promise<RetryResult[]> {
  const { prefix, signal, ...rest } = context;
  const namespaceOf = (topic: string) => {
    const namespace = namespaceOfTopic(prefix, topic);
    if (namespace === undefined) throw new TailwaterError('TW1013', { prefix });
    return namespace;
  };
  return retryLetters(
    chosen,
    {
      ...rest,
      namespaceOf,
      standingOf: (portion) => standingOf(kafka, portion, { signal }),
      remove: (ids) => letters.remove(ids),
    },
    signal,
  );
}

/** A letter that is superseded is removed, any other applied. */
async function preview(chosen: readonly DeadLetter[], { kafka }: OpenLetters, json: boolean, signal: AbortSignal): Promise<string> {
  const standing = await standingOf(kafka, chosen, { signal });
  const results = chosen.map((letter) => ({ id: letter.id, standing: standing(letter), reason: letter.reason }));
  if (json) return `${JSON.stringify({ dryRun: true, results }, null, 2)}\n`;
  const rows = results.map(({ id, standing, reason }) => [id, FATE[standing], reason]);
  return `${rows.length === 0 ? '' : `${renderTable(['letter', 'would be', 'was refused for'], rows)}\n`}Nothing was changed: this was a dry run\n`;
}

const FATE = { newest: 'applied', superseded: 'removed: the document changed since', gone: 'left: its partition is gone' } as const;

const isStillThere = ({ outcome }: RetryResult): boolean => outcome === 'refused' || outcome === 'gone';

function toText(results: readonly RetryResult[]): string {
  if (results.length === 0) return 'No dead letters to retry\n';
  const counts = new Map<string, number>();
  for (const { outcome } of results) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  const summary = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
  const rows = results.filter(isStillThere).map(({ id, outcome, reason = '' }) => [id, outcome, reason]);
  return `${summary}\n${rows.length === 0 ? '' : `${renderTable(['still there', '', 'reason'], rows)}\n`}`;
}
