// docs/command-line.md is what the programs say of themselves.
import { describeCli, renderCommandReference } from '@tailwater/runtime';
import { expect, it } from 'vitest';
import { consumerProgram } from '#consumer/cli/program.js';
import { producerProgram } from '#producer/cli/program.js';

const INTRODUCTION = `# The command line

<!-- Made from the commands' descriptions by test/unit/runtime/cli/command-reference.test.ts (run it with -u). -->

Two programs: \`producer\` reads MongoDB, \`consumer\` writes to a target. \`--help\` behind either, or behind any command, says what it takes; a command or flag with a typing mistake is answered
with the nearest that exists. The options that the configuration file has too are in [configuration.md](configuration.md); below are those that only a command line has.

**Output.** What a command was asked for goes to stdout, everything else to stderr: \`producer status --json | jq\` works at any log level. \`--json\` prints one JSON document; its keys are added to, and neither
renamed nor removed, within a major version. A table is for people. A reader that closes the pipe early, such as \`head\`, ends the command silently.

**Colours** are used on a terminal only. \`NO_COLOR\` turns them off there, \`FORCE_COLOR\` on anywhere.

**Before something is changed.** \`--dry-run\` shows what a command would do. What cannot be taken back is asked for; without a terminal such a command needs \`--yes\`, and is refused otherwise with exit code 2 (TW1085).

**Completion** of commands, flags and values: \`eval "$(producer completion bash)"\` in \`~/.bashrc\`, the same for \`consumer\`, and for zsh; in fish \`producer completion fish > ~/.config/fish/completions/producer.fish\`.
Make it anew after an upgrade.

**Progress** of copies and of catching up is a bar on a terminal, and a line of the log every 30 seconds anywhere else.
`;

it('docs/command-line.md is what the programs say', async () => {
  const page = renderCommandReference({
    introduction: INTRODUCTION,
    programs: [describeCli(producerProgram), describeCli(consumerProgram)],
  });
  await expect(page.replace(/\n*$/, '\n')).toMatchFileSnapshot('../../../../docs/command-line.md');
});
