// `consumer dead-letters discard`
import { type Command, confirm, yesOption } from '@tailwater/runtime';
import { choiceOptions, ID_POSITIONAL, selectDeadLetters, withDeadLetterTopic } from './dead-letter-options.js';

const options = { ...choiceOptions, yes: yesOption } as const;

export const discardDeadLettersCommand: Command<typeof options> = {
  name: 'dead-letters discard',
  summary: 'Remove refused changes for good: the target never gets them',
  description:
    'Removes dead letters for good: the target never gets these changes, unless the document changes again. It asks first; without a terminal it needs --yes.',
  options,
  positionals: { id: { ...ID_POSITIONAL.id, required: false } },
  examples: [
    ['$0 dead-letters discard tw.shop.orders/3/1234 --target es --prefix tw', 'one'],
    ["$0 dead-letters discard --namespace 'shop.*' --target es --prefix tw --dry-run", 'what it would remove'],
    ["$0 dead-letters discard --namespace 'shop.*' --target es --prefix tw --yes", 'all of a database, in a script'],
  ],
  async run(given, context) {
    await withDeadLetterTopic(given, context, async ({ deadLetters }) => {
      const choice = { id: context.arguments['id'], operation: 'discard', signal: context.signal };
      const ids = [...(await selectDeadLetters(deadLetters, given, choice)).ids()];
      const what = `${ids.length} dead ${ids.length === 1 ? 'letter is' : 'letters are'} removed from ${deadLetters.topic} for good`;
      if (!given.dryRun && ids.length > 0) {
        await confirm({ command: 'consumer dead-letters discard', what, yes: given.yes }, context.signal);
        await deadLetters.remove(ids);
      }
      if (given.json)
        context.stdout.write(`${JSON.stringify({ discarded: given.dryRun ? [] : ids, dryRun: given.dryRun, ids }, null, 2)}\n`);
      else if (given.dryRun)
        context.stdout.write(
          `${ids.map((id) => `${id}\n`).join('')}${ids.length} would be discarded. Nothing was changed: this was a dry run\n`,
        );
      else context.stdout.write(`${ids.length} discarded\n`);
    });
  },
};
