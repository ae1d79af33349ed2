// `consumer dead-letters list`
import type { Command } from '@tailwater/runtime';
import { describeDeadLetter, listOptions, ofNamespaces, withDeadLetterTopic } from './dead-letter-options.js';
import { JsonList, TablePages } from './list-output.js';

const SHOWN_LENGTH = 60;

export const listDeadLettersCommand: Command<typeof listOptions> = {
  name: 'dead-letters list',
  summary: 'Show the changes that a target refused, oldest first',
  options: listOptions,
  examples: [
    ['$0 dead-letters list --target es --kafka 127.0.0.1:9092 --prefix tw', 'a table'],
    ["$0 dead-letters list --target es --prefix tw --namespace 'shop.*' --json", 'for a script'],
  ],
  async run(given, context) {
    const { stdout, signal } = context;
    await withDeadLetterTopic(given, context, async ({ deadLetters }) => {
      const index = await deadLetters.index(ofNamespaces(given.prefix, given.namespace), signal);
      if (index.size === 0 && !given.json) {
        stdout.write(`No dead letters in ${deadLetters.topic}\n`);
        return;
      }
      const list = given.json
        ? new JsonList(stdout, { topic: deadLetters.topic }, 'letters')
        : new TablePages(stdout, ['id', 'refused at', 'document', 'code', 'reason']);
      for await (const deadLetter of deadLetters.read(index, signal)) {
        const described = describeDeadLetter(deadLetter, given.prefix);
        await (list instanceof JsonList ? list.add(described) : list.add(rowOf(described)));
      }
      await list.end();
    });
  },
};

function rowOf({ id, ...deadLetter }: Readonly<Record<string, unknown>>): string[] {
  return [String(id), ...['refusedAt', 'key', 'code', 'reason'].map((name) => shown(deadLetter[name]))];
}

function shown(value: unknown): string {
  const text = String(value ?? '');
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 1)}…` : text;
}
