// `consumer dead-letters list`
import { type Command, renderTable } from '@tailwater/runtime';
import { describeLetter, listOptions, ofNamespaces, withLetters } from './letters-options.js';

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
    await withLetters(given, context, async ({ letters }) => {
      const chosen = ofNamespaces(await letters.read(context.signal), given.prefix, given.namespace);
      const described = chosen.map((letter) => describeLetter(letter, given.prefix));
      if (given.json) context.stdout.write(`${JSON.stringify({ topic: letters.topic, letters: described }, null, 2)}\n`);
      else if (described.length === 0) context.stdout.write(`No dead letters in ${letters.topic}\n`);
      else context.stdout.write(`${toTable(described)}\n`);
    });
  },
};

function toTable(letters: readonly Record<string, unknown>[]): string {
  const shown = (value: unknown) => {
    const text = String(value ?? '');
    return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH - 1)}…` : text;
  };
  const columns = ['id', 'refusedAt', 'key', 'code', 'reason'];
  return renderTable(
    ['id', 'refused at', 'document', 'code', 'reason'],
    letters.map((letter) => columns.map((column) => (column === 'id' ? String(letter[column]) : shown(letter[column])))),
  );
}
