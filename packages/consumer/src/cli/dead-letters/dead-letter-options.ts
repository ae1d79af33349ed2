// What the dead-letters commands share: whose letters, which of them, and how one is shown.
import {
  checkKafka,
  compileNamespaceRules,
  createKafka,
  dryRunOption,
  errorCodes,
  type KafkaClient,
  kafkaConnection,
  type Logger,
  list,
  type OptionValues,
  option,
  TailwaterError,
  toggle,
} from '@tailwater/runtime';
import { deadLetterTopicName, formatNamespace, isTopicPrefix, namespaceOfTopic } from '@tailwater/schema';
import type { DeadLetter } from '../../dead-letters/dead-letter.js';
import type { DeadLetterIndex } from '../../dead-letters/dead-letter-index.js';
import { DeadLetterTopic } from '../../dead-letters/kafka-dead-letter-topic.js';
import { kafkaOptions, targetOptions } from '../options.js';
import { targetName } from '../target-name.js';

const namespace = option(list().default([]), {
  group: 'Which',
  describe: 'Only those of these namespaces, db.collection with * as wildcard; the names in the source',
});
const all = option(toggle(), { group: 'Which', describe: 'All of them' });
const json = option(toggle(), { group: 'Output', describe: 'Print JSON' });

export const deadLetterOptions = { target: targetOptions.target, name: targetOptions.name, ...kafkaOptions, json } as const;
export const listOptions = { ...deadLetterOptions, namespace } as const;
export const choiceOptions = { ...deadLetterOptions, namespace, all, dryRun: dryRunOption } as const;
export const ID_POSITIONAL = { id: { describe: 'The letter’s id: topic/partition/offset, as the list shows it' } } as const;

export interface OpenDeadLetterTopic {
  readonly kafka: KafkaClient;
  readonly deadLetters: DeadLetterTopic;
  /** The consumer group whose letters they are. */
  readonly group: string;
}

/** Hands the letters of the target to `use`, and closes them. */
export async function withDeadLetterTopic<T>(
  given: OptionValues<typeof deadLetterOptions>,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
  use: (open: OpenDeadLetterTopic) => Promise<T>,
): Promise<T> {
  if (!isTopicPrefix(given.prefix)) throw new TailwaterError(errorCodes.BAD_TOPIC_PREFIX, { prefix: given.prefix });
  const name = targetName(given.name ?? given.target);
  const kafka = createKafka(kafkaConnection(given, 'tailwater-dead-letters'), logger, 'command');
  await checkKafka(kafka, { signal });
  const deadLetters = new DeadLetterTopic(kafka, deadLetterTopicName(given.prefix, name), logger);
  try {
    return await use({ kafka, deadLetters, group: `${given.prefix}.${name}` });
  } finally {
    await deadLetters.close();
  }
}

/** Whether a letter's id, which begins with its topic, is of the namespaces; any is when none is named. */
export function ofNamespaces(prefix: string, namespaces: readonly string[]): (id: string) => boolean {
  if (namespaces.length === 0) return () => true;
  const rules = compileNamespaceRules({ include: namespaces });
  return (id) => {
    const source = namespaceOfTopic(prefix, id.slice(0, id.indexOf('/')));
    return source !== undefined && rules.includes(source.database, source.collection);
  };
}

/**
 * The one with the id, or those of the namespaces, or all.
 *
 * @throws TailwaterError TW1354 when there is none with the id, TW1355 when nothing says which
 */
export async function selectDeadLetters(
  deadLetters: DeadLetterTopic,
  given: OptionValues<typeof choiceOptions>,
  { id, operation, signal }: { readonly id: string | undefined; readonly operation: string; readonly signal: AbortSignal },
): Promise<DeadLetterIndex> {
  if ([id !== undefined, given.namespace.length > 0, given.all].filter(Boolean).length !== 1) {
    throw new TailwaterError(errorCodes.NO_DEAD_LETTERS_CHOSEN, { operation });
  }
  return id === undefined
    ? deadLetters.index(ofNamespaces(given.prefix, given.namespace), signal)
    : findDeadLetter(deadLetters, id, signal);
}

/** @throws TailwaterError TW1354 when there is none with the id */
export async function findDeadLetter(deadLetters: DeadLetterTopic, id: string, signal: AbortSignal): Promise<DeadLetterIndex> {
  const index = await deadLetters.index((each) => each === id, signal);
  if (index.size === 0) throw new TailwaterError(errorCodes.NO_SUCH_DEAD_LETTER, { id, topic: deadLetters.topic });
  return index;
}

/** A letter without its document, for JSON. */
export function describeDeadLetter(deadLetter: DeadLetter, prefix: string): Record<string, unknown> {
  const source = namespaceOfTopic(prefix, deadLetter.topic);
  return {
    id: deadLetter.id,
    refusedAt: new Date(deadLetter.refusedAtMs).toISOString(),
    kind: deadLetter.kind,
    code: deadLetter.code,
    reason: deadLetter.reason,
    target: deadLetter.target,
    namespace: source === undefined ? null : formatNamespace(source),
    destination: deadLetter.destination ?? null,
    key: deadLetter.record.key?.toString('utf8') ?? null,
    position: deadLetter.position ?? null,
    topic: deadLetter.topic,
    partition: deadLetter.partition,
    offset: Number(deadLetter.record.offset),
    bytes: deadLetter.record.value?.length ?? 0,
  };
}
