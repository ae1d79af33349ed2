// `producer snapshot`, `refresh`, `reconcile`, `pause` and `resume`: each asks the running producer for something, by a record in the
// topic `<prefix>.signals`, and says what happens next.
import { randomUUID } from 'node:crypto';
import {
  type Command,
  type CommandContext,
  checkKafka,
  compileNamespaceRules,
  createKafka,
  dryRunOption,
  errorCodes,
  kafkaConnection,
  list,
  type OptionValues,
  option,
  redactAddress,
  TailwaterError,
  text,
  toggle,
} from '@tailwater/runtime';
import { isTopicPrefix, signalsTopicName, topicName } from '@tailwater/schema';
import { parseIdText } from '../signals/id-text.js';
import { hasTopic, writeSignal } from '../signals/kafka-signal-topic.js';
import type { SignalBody } from '../signals/signal.js';
import { connectSource } from '../source/mongo/connect.js';
import { assertIncluded } from './assert-included.js';
import { kafkaSourceOptions, namespaceOptions, sourceAccess, sourceOptions } from './options.js';

const outputOptions = {
  dryRun: dryRunOption,
  json: option(toggle(), { group: 'Output', describe: 'Print JSON' }),
} as const;
const namespace = option(text(), { group: 'Signal', describe: 'The collection, as db.collection' });
const collectionOptions = { ...sourceOptions, ...namespaceOptions, namespace, ...outputOptions } as const;
const refreshOptions = {
  ...collectionOptions,
  id: option(list().min(1), {
    group: 'Signal',
    describe:
      'An _id in Extended JSON (42, "42", {"$oid": "…"}); without quotes of its own, 24 hexadecimal digits are an ObjectId and other text is a string. Repeat it for others',
    hasCommas: true,
  }),
} as const;
const pauseOptions = {
  ...kafkaSourceOptions,
  tail: option(toggle(), { group: 'Signal', describe: 'Also stop reading the oplog, whose window then counts' }),
  ...outputOptions,
} as const;
const resumeOptions = { ...kafkaSourceOptions, ...outputOptions } as const;

const MONGO = '--mongo "$MONGO_URI"';

export const snapshotCommand: Command<typeof collectionOptions> = {
  name: 'snapshot',
  summary: 'Copy a collection again while the producer runs',
  description:
    'Asks the running producer to copy a collection again, beside the tail. Documents that are in the topic and no longer in the collection stay: reconcile removes them.',
  options: collectionOptions,
  examples: [[`$0 snapshot ${MONGO} --prefix tw --namespace shop.orders`, 'copy shop.orders again']],
  async run(given, context) {
    await expectCollection(given);
    await ask(given, context, { kind: 'snapshot', namespace: given.namespace }, `a new copy of ${given.namespace}`, SEE_STATUS);
  },
};

export const reconcileCommand: Command<typeof collectionOptions> = {
  name: 'reconcile',
  summary: 'Copy a collection again, and remove from the topic what it no longer has',
  description:
    'Asks the running producer to copy a collection again, beside the tail, and to publish tombstones for the documents that are in the topic and not in the collection. A collection that is gone is swept from its topic.',
  options: collectionOptions,
  examples: [[`$0 reconcile ${MONGO} --prefix tw --namespace shop.orders`, 'make the topic equal to shop.orders']],
  async run(given, context) {
    await expectCollection(given, async (name) =>
      hasTopic(createKafka(kafkaConnection(given, 'tailwater-signal'), context.logger, 'command'), name),
    );
    const what = `a new copy of ${given.namespace}, and a sweep of its topic`;
    await ask(given, context, { kind: 'reconcile', namespace: given.namespace }, what, SEE_STATUS);
  },
};

export const refreshCommand: Command<typeof refreshOptions> = {
  name: 'refresh',
  summary: 'Publish single documents again, as they are now',
  description: 'Asks the running producer to read documents by their _id and publish them, or tombstones for those that are not there.',
  options: refreshOptions,
  examples: [
    [`$0 refresh ${MONGO} --namespace shop.orders --id 65f0c0ffee0ddba11c0ffee0`, 'by an ObjectId'],
    [`$0 refresh ${MONGO} --namespace shop.orders --id 42 --id '"42"'`, 'the number and the string'],
  ],
  async run(given, context) {
    const ids = given.id.map(parseIdText);
    await expectCollection(given);
    const what = `${ids.length === 1 ? 'one document' : `${ids.length} documents`} of ${given.namespace}`;
    await ask(
      given,
      context,
      { kind: 'refresh', namespace: given.namespace, ids },
      what,
      'Each is published as it is by then, or its tombstone.',
    );
  },
};

export const pauseCommand: Command<typeof pauseOptions> = {
  name: 'pause',
  summary: 'Stop copying until resume; the tail goes on unless --tail is given',
  description:
    'Asks the running producer to stop copying collections. Changes are still published, because a stopped tail uses up the oplog window; --tail stops them too. A pause survives restarts, until resume.',
  options: pauseOptions,
  examples: [
    ['$0 pause --prefix tw', 'copies stop, changes are published'],
    ['$0 pause --prefix tw --tail', 'nothing is read'],
  ],
  async run(given, context) {
    const what = given.tail ? 'a pause of copies and of the tail' : 'a pause of copies';
    const next = given.tail
      ? 'Nothing is published until `producer resume`. The oplog’s window counts meanwhile: `producer status` shows the headroom.'
      : 'Changes are published all the same. `producer resume` goes on with the copies where they are.';
    await ask(given, context, { kind: 'pause', tail: given.tail }, what, next);
  },
};

export const resumeCommand: Command<typeof resumeOptions> = {
  name: 'resume',
  summary: 'End a pause',
  options: resumeOptions,
  examples: [['$0 resume --prefix tw', 'copies and the tail go on where they were']],
  async run(given, context) {
    await ask(given, context, { kind: 'resume' }, 'the end of a pause', 'Copies and the tail go on where they were.');
  },
};

const SEE_STATUS = '`producer status` shows how far it is.';

async function ask(
  given: OptionValues<typeof resumeOptions>,
  { stdout, logger, signal }: CommandContext,
  body: SignalBody,
  what: string,
  next: string,
): Promise<void> {
  if (!isTopicPrefix(given.prefix)) throw new TailwaterError(errorCodes.BAD_TOPIC_PREFIX, { prefix: given.prefix });
  const kafka = createKafka(kafkaConnection(given, 'tailwater-signal'), logger, 'command');
  await checkKafka(kafka, { signal });
  const id = randomUUID();
  if (!given.dryRun) await writeSignal(kafka, signalsTopicName(given.prefix), { ...body, id, askedAtMs: Date.now() });
  if (given.json)
    stdout.write(`${JSON.stringify({ asked: !given.dryRun, signal: body.kind, id: given.dryRun ? null : id, what }, null, 2)}\n`);
  else if (given.dryRun) stdout.write(`Would ask the producer for ${what}. Nothing was changed: this was a dry run\n`);
  else {
    stdout.write(`Asked the producer for ${what} (signal ${id}).\n`);
    stdout.write(`If it runs, it begins within seconds; if not, at its next start. ${next}\n`);
  }
}

/** @param isPublished - asked when the collection is gone: whether its topic is still there is what counts then */
async function expectCollection(
  given: OptionValues<typeof collectionOptions>,
  isPublished: (topic: string) => Promise<boolean> = async () => false,
): Promise<void> {
  const { database, collection } = assertIncluded(compileNamespaceRules(given), given.namespace);
  const source = await connectSource(given.mongo, given.source, sourceAccess(given));
  try {
    const found = await source.client
      .db(database)
      .listCollections({ name: collection, type: 'collection' }, { nameOnly: true, readPreference: 'primary' })
      .toArray();
    if (found.length === 0 && !(await isPublished(topicName(given.prefix, { database, collection }))))
      throw new TailwaterError(errorCodes.NO_SUCH_COLLECTION, { namespace: given.namespace, address: redactAddress(given.mongo) });
  } finally {
    await source.client.close();
  }
}
