// `consumer dead-letters show`: one letter with the document, or the bytes, that it is about.
import { type Command, errorCodes, registryOptions, TailwaterError } from '@tailwater/runtime';
import { decodeChangeEvent, type SchemaIds } from '@tailwater/schema';
import { BSON, EJSON } from 'bson';
import type { DeadLetter } from '../../dead-letters/dead-letter.js';
import type { DeadLetterTopic } from '../../dead-letters/kafka-dead-letter-topic.js';
import { openSchemas } from '../schemas.js';
import { deadLetterOptions, describeDeadLetter, findDeadLetter, ID_POSITIONAL, withDeadLetterTopic } from './dead-letter-options.js';

const options = { ...deadLetterOptions, ...registryOptions } as const;

export const showDeadLetterCommand: Command<typeof options> = {
  name: 'dead-letters show',
  summary: 'Show one refused change: why, where it comes from, and its document',
  options,
  positionals: ID_POSITIONAL,
  examples: [['$0 dead-letters show tw.shop.orders/3/1234 --target es --prefix tw', 'one letter']],
  async run(given, context) {
    await withDeadLetterTopic(given, context, async ({ deadLetters }) => {
      const deadLetter = await read(deadLetters, context.arguments['id'] ?? '', context.signal);
      await using open = await openSchemas(given, context.logger, context.signal);
      if (deadLetter.record.value !== null) await open.schemas.learn(deadLetter.record.value, context.signal);
      const described = { ...describeDeadLetter(deadLetter, given.prefix), ...contentsOf(deadLetter, open.schemas) };
      context.stdout.write(given.json ? `${JSON.stringify(described, null, 2)}\n` : toLines(described));
    });
  },
};

async function read(deadLetters: DeadLetterTopic, id: string, signal: AbortSignal): Promise<DeadLetter> {
  for await (const deadLetter of deadLetters.read(await findDeadLetter(deadLetters, id, signal), signal)) return deadLetter;
  // Removed between the two reads.
  throw new TailwaterError(errorCodes.NO_SUCH_DEAD_LETTER, { id, topic: deadLetters.topic });
}

/** The document as relaxed Extended JSON; base64 of what cannot be decoded. */
function contentsOf({ kind, record }: DeadLetter, schemas: SchemaIds): Record<string, unknown> {
  if (record.value === null) return { op: 'delete' };
  if (kind === 'undecodable') return { value: record.value.toString('base64') };
  const { op, document } = decodeChangeEvent(record.value, schemas);
  try {
    return { op, document: EJSON.serialize(BSON.deserialize(document, { promoteValues: false }), { relaxed: true }) };
  } catch {
    return { op, document: null, value: document.toString('base64') };
  }
}

function toLines(described: Record<string, unknown>): string {
  return Object.entries(described)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${`${name}:`.padEnd(13)}${typeof value === 'object' ? JSON.stringify(value, null, 2) : String(value)}\n`)
    .join('');
}
