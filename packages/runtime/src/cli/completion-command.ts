// `completion bash`: prints the script that completes the program's command lines.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import type { CliDescription, Command } from './command.js';
import { completionScript, SHELLS } from './completion-script.js';

/** @param cli - asked when it runs: the program that this command is part of */
export function completionCommand(program: string, cli: () => CliDescription): Command {
  return {
    name: 'completion',
    summary: 'Print a script that completes commands, flags and values in bash, zsh or fish',
    description: `Prints a script for your shell. It holds all that can be completed, so make it anew after an upgrade.`,
    options: {},
    positionals: { shell: { describe: 'bash, zsh or fish', choices: SHELLS } },
    examples: [
      [`eval "$($0 completion bash)"`, 'in ~/.bashrc'],
      [`eval "$($0 completion zsh)"`, 'in ~/.zshrc, below compinit'],
      [`$0 completion fish > ~/.config/fish/completions/${program}.fish`, 'once'],
    ],
    async run(_options, { stdout, arguments: given }) {
      const shell = SHELLS.find((each) => each === given['shell']);
      if (shell === undefined) {
        const reason = `there is no script for the shell ${JSON.stringify(given['shell'])}; there is one for ${SHELLS.join(', ')}`;
        throw new TailwaterError(errorCodes.ARGUMENTS_WRONG, { command: `${program} completion`, reason });
      }
      stdout.write(completionScript(shell, cli()));
    },
  };
}
