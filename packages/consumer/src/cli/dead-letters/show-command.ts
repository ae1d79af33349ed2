// `consumer dead-letters show`: one letter with the document, or the bytes, that it is about.
import { type Command, registryOptions, TailwaterError } from '@tailwater/runtime';
import { decodeChangeEvent, type SchemaIds } from '@tailwater/schema';
import { BSON, EJSON } from 'bson';
import type { DeadLetter } from '../../dead-letters/dead-letter.js';
import type { KafkaLetters } from '../../dead-letters/kafka-letters.js';
import { openSchemas } from '../schemas.js';
import { describeLetter, ID_POSITIONAL, lettersOptions, oneLetter, withLetters } from './letters-options.js';

const options = { ...lettersOptions, ...registryOptions } as const;

export const showLetterCommand: Command<typeof options> = {
  name: 'dead-letters show',
  summary: 'Show one refused change: why, where it comes from, and its document',
  options,
  positionals: ID_POSITIONAL,
  examples: [['$0 dead-letters show tw.shop.orders/3/1234 --target es --prefix tw', 'one letter']],
  async run(given, context) {
    await withLetters(given, context, async ({ letters }) => {
      const letter = await read(letters, context.arguments['id'] ?? '', context.signal);
      await using open = await openSchemas(given, context.logger, context.signal);
      if (letter.record.value !== null) await open.schemas.learn(letter.record.value, context.signal);
      const described = { ...describeLetter(letter, given.prefix), ...contentsOf(letter, open.schemas) };
      context.stdout.write(given.json ? `${JSON.stringify(described, null, 2)}\n` : toLines(described));
    });
  },
};

async function read(letters: KafkaLetters, id: string, signal: AbortSignal): Promise<DeadLetter> {
  for await (const letter of letters.read(await oneLetter(letters, id, signal), signal)) return letter;
  // Removed between the two reads.
  throw new TailwaterError('TW1354', { id, topic: letters.topic });
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
