// `consumer dead-letters retry`: applies refused changes again, once the mapping, the schema or the release has been corrected.
import {
  type Command,
  type CommandContext,
  errorCodes,
  type KafkaClient,
  type OptionValues,
  registryOptions,
  renderTable,
  TailwaterError,
} from '@tailwater/runtime';
import { type Namespace, namespaceOfTopic } from '@tailwater/schema';
import type { DeadLetter } from '../../dead-letters/dead-letter.js';
import { NewestRecords } from '../../dead-letters/kafka-newest-records.js';
import { type RetryResult, retryDeadLetters, STAYS_A_DEAD_LETTER } from '../../dead-letters/retry-dead-letters.js';
import { assertNoMembers } from '../../subscribe/kafka-groups.js';
import type { Target } from '../../targets/target.js';
import type { Transform } from '../../transform/transform.js';
import { configuredTarget, openOptions } from '../configured-target.js';
import { openSchemas } from '../schemas.js';
import { prepareTransform, transformOptions } from '../transforming.js';
import { choiceOptions, ID_POSITIONAL, selectDeadLetters, withDeadLetterTopic } from './dead-letter-options.js';
import { JsonList, TablePages } from './list-output.js';

const options = {
  ...openOptions,
  ...choiceOptions,
  ...transformOptions,
  ...registryOptions,
} as const;

export const retryDeadLettersCommand: Command<typeof options> = {
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
    const transform = await transformOf(given);
    const target = await configuredTarget(given);
    try {
      await target.connect(signal);
      await withDeadLetterTopic(given, context, async (open) => {
        await using asked = await openAdmin(open.kafka);
        const assertNoMembers = async () => {
          if (target.comparesVersions !== true && !given.dryRun) await asked.standsStill(open.group);
        };
        await assertNoMembers();
        const chosen = await selectDeadLetters(open.deadLetters, given, { id: context.arguments['id'], operation: 'retry', signal });
        const deadLetters = () => open.deadLetters.read(chosen, signal);
        await using newest = await NewestRecords.open(open.kafka);
        if (given.dryRun) {
          await preview(deadLetters, newest, given.json, context);
          return;
        }
        await using registry = await openSchemas(given, logger, signal);
        const report = new RetryReport(context.stdout, given.json);
        const parts = {
          target,
          transform: transform(target, await asked.topics()),
          schemas: registry.schemas,
          namespaceOf: namespacesOf(given.prefix),
        };
        const effects = {
          assertNoMembers,
          remove: (ids: readonly string[]) => open.deadLetters.remove(ids),
          onResult: report.add,
          logger,
        };
        await retryDeadLetters({ ...parts, ...effects, deadLetters, newest }, signal);
        await report.end();
        if (report.left > 0) throw new TailwaterError(errorCodes.DEAD_LETTERS_REFUSED_AGAIN, { count: report.left, total: report.total });
      });
    } finally {
      await target.close();
    }
  },
};

/** What the consumer does to each change, given the same options. */
async function transformOf(
  given: OptionValues<typeof transformOptions> & { readonly prefix: string },
): Promise<(target: Target, topics: readonly string[]) => Transform> {
  const transforming = await prepareTransform(given);
  const includes = ({ database, collection }: Namespace) => transforming.rules.includes(database, collection);
  return (target, topics) => {
    const { transform, know } = transforming.for(target);
    know(topics.flatMap((topic) => namespaceOfTopic(given.prefix, topic) ?? []).filter(includes));
    return (change) => (includes(change.namespace) ? transform(change) : undefined);
  };
}

/** One connection, however many portions there are. */
async function openAdmin(kafka: KafkaClient) {
  const admin = kafka.admin();
  await admin.connect();
  return {
    topics: (): Promise<readonly string[]> => admin.listTopics(),
    /** @throws TailwaterError TW1353 when the group has members: two writers, and nothing that tells old from new */
    standsStill: (group: string) => assertNoMembers(admin, group, 'a retry into a target that compares no versions'),
    [Symbol.asyncDispose]: () => admin.disconnect(),
  };
}

function namespacesOf(prefix: string): (topic: string) => Namespace {
  return (topic) => {
    const namespace = namespaceOfTopic(prefix, topic);
    if (namespace === undefined) throw new TailwaterError(errorCodes.BAD_TOPIC_PREFIX, { prefix });
    return namespace;
  };
}

const FATE = {
  newest: 'applied',
  superseded: 'removed: the document changed since',
  gone: 'left: its partition is gone',
  remade: 'left: its topic was made anew',
} as const;

/** A letter that is superseded is removed, any other applied. */
async function preview(
  deadLetters: () => AsyncIterable<DeadLetter>,
  newest: NewestRecords,
  json: boolean,
  { stdout, signal }: Pick<CommandContext, 'stdout' | 'signal'>,
): Promise<void> {
  for await (const deadLetter of deadLetters()) newest.expect(deadLetter);
  await newest.update(signal);
  const list = json ? new JsonList(stdout, { dryRun: true }, 'results') : new TablePages(stdout, ['letter', 'would be', 'was refused for']);
  for await (const deadLetter of deadLetters()) {
    const { id, reason } = deadLetter;
    const status = newest.statusOf(deadLetter);
    await (list instanceof JsonList ? list.add({ id, standing: status, reason }) : list.add([id, FATE[status], reason]));
  }
  await list.end();
  if (!json) stdout.write('Nothing was changed: this was a dry run\n');
}

/** Rows of what is still there; more would not be read, and `list` has them. */
const MAX_ROWS = 1_000;

/** What became of each letter: all of it in JSON, else what is still there. */
class RetryReport {
  readonly #stdout: NodeJS.WritableStream;
  readonly #list: JsonList | undefined;
  readonly #rows: string[][] = [];
  readonly #counts = new Map<RetryResult['outcome'], number>();

  constructor(stdout: NodeJS.WritableStream, json: boolean) {
    this.#stdout = stdout;
    this.#list = json ? new JsonList(stdout, {}, 'results') : undefined;
  }

  readonly add = async (result: RetryResult): Promise<void> => {
    const { id, outcome, reason = '' } = result;
    this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1);
    if (this.#list !== undefined) await this.#list.add(result);
    else if (STAYS_A_DEAD_LETTER.has(outcome) && this.#rows.length < MAX_ROWS) this.#rows.push([id, outcome, reason]);
  };

  get left(): number {
    return [...this.#counts].reduce((sum, [outcome, count]) => sum + (STAYS_A_DEAD_LETTER.has(outcome) ? count : 0), 0);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  async end(): Promise<void> {
    if (this.#list !== undefined) return this.#list.end();
    if (this.total === 0) {
      this.#stdout.write('No dead letters to retry\n');
      return;
    }
    const more = this.left - this.#rows.length;
    const table = this.#rows.length === 0 ? '' : `${renderTable(['still there', '', 'reason'], this.#rows)}\n`;
    const summary = [...this.#counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ');
    this.#stdout.write(`${summary}\n${table}${more > 0 ? `and ${more} more: see dead-letters list\n` : ''}`);
  }
}
