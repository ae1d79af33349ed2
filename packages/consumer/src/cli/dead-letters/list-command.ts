// `consumer dead-letters list`
import type { Command } from '@tailwater/runtime';
import { describeLetter, listOptions, ofNamespaces, withLetters } from './letters-options.js';
import { JsonList, TablePages } from './list-output.js';

const SHOWN_LENGTH = 60;

export const listLettersCommand: Command<typeof listOptions> = {
  name: 'dead-letters list',
  summary: 'Show the changes that a target refused, oldest first',
  options: listOptions,
  examples: [
    ['$0 dead-letters list --target es --kafka 127.0.0.1:9092 --prefix tw', 'a table'],
    ["$0 dead-letters list --target es --prefix tw --namespace 'shop.*' --json", 'for a script'],
  ],
  async run(given, context) {
    const { stdout, signal } = context;
    await withLetters(given, context, async ({ letters }) => {
      const index = await letters.index(ofNamespaces(given.prefix, given.namespace), signal);
      if (index.size === 0 && !given.json) {
        stdout.write(`No dead letters in ${letters.topic}\n`);
        return;
      }
      const list = given.json
        ? new JsonList(stdout, { topic: letters.topic }, 'letters')
        : new TablePages(stdout, ['id', 'refused at', 'document', 'code', 'reason']);
      for await (const letter of letters.read(index, signal)) {
        const described = describeLetter(letter, given.prefix);
        await (list instanceof JsonList ? list.add(described) : list.add(rowOf(described)));
      }
      await list.end();
    });
  },
};

function rowOf({ id, ...letter }: Readonly<Record<string, unknown>>): string[] {
  return [String(id), ...['refusedAt', 'key', 'code', 'reason'].map((name) => shown(letter[name]))];
}

function shown(value: unknown): string {
  const text = String(value ?? '');
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 1)}…` : text;
}
