// `consumer dead-letters discard`
import type { Command } from '@tailwater/runtime';
import { choiceOptions, chosenLetters, ID_POSITIONAL, withLetters } from './letters-options.js';

export const discardLettersCommand: Command<typeof choiceOptions> = {
  name: 'dead-letters discard',
  summary: 'Remove refused changes for good: the target never gets them',
  options: choiceOptions,
  positionals: { id: { ...ID_POSITIONAL.id, required: false } },
  examples: [
    ['$0 dead-letters discard tw.shop.orders/3/1234 --target es --prefix tw', 'one'],
    ["$0 dead-letters discard --namespace 'shop.*' --target es --prefix tw", 'all of a database'],
  ],
  async run(given, context) {
    await withLetters(given, context, async ({ letters }) => {
      const choice = { id: context.arguments['id'], operation: 'discard', signal: context.signal };
      const ids = (await chosenLetters(letters, given, choice)).map(({ id }) => id);
      await letters.remove(ids);
      context.stdout.write(given.json ? `${JSON.stringify({ discarded: ids }, null, 2)}\n` : `${ids.length} discarded\n`);
    });
  },
};
