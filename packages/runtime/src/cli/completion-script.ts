// Shell scripts that complete a program's command lines. All is in the script: a key press starts no Node.

import type { CliDescription } from './command.js';
import { type CompletedFlag, type CompletedPlace, completedPlaces } from './completion-model.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function completionScript(shell: Shell, cli: CliDescription): string {
  return WRITERS[shell](cli.name, completedPlaces(cli));
}

const quote = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;
const oneLine = (text: string): string => text.replace(/\s+/g, ' ');
const wordsOf = ({ commands, flags, choices }: CompletedPlace): string =>
  [...commands.map(([word]) => word), ...choices, ...flags.map(({ name }) => name)].join(' ');

/** For bash and zsh alike: `"path before" word` moves on to the path behind. */
const steps = (places: readonly CompletedPlace[]): string =>
  places
    .flatMap(({ path, commands }) => commands.map(([word]) => [path, word, path === '' ? word : `${path} ${word}`] as const))
    .map(([path, word, next]) => `      ${quote(`${path}>${word}`)}) place=${quote(next)} ;;`)
    .join('\n');

/** For bash and zsh alike: what follows a flag. */
function values(places: readonly CompletedPlace[], files: string, choose: (choices: readonly string[]) => string): string {
  return places
    .flatMap(({ path, flags }) => {
      const valued = flags.filter((flag): flag is Required<CompletedFlag> => flag.value !== undefined);
      const free = valued.filter(({ value }) => value.choices.length === 0).map(({ name }) => quote(`${path}>${name}`));
      return [
        ...valued
          .filter(({ value }) => value.choices.length > 0)
          .map(({ name, value }) => `    ${quote(`${path}>${name}`)}) ${choose(value.choices)}; return ;;`),
        ...(free.length === 0 ? [] : [`    ${free.join('|')}) ${files}; return ;;`]),
      ];
    })
    .join('\n');
}

function bash(name: string, places: readonly CompletedPlace[]): string {
  const cases = places.map((place) => `    ${quote(place.path)}) words=${quote(wordsOf(place))} ;;`).join('\n');
  const choose = (choices: readonly string[]) => `COMPREPLY=($(compgen -W ${quote(choices.join(' '))} -- "$cur"))`;
  return `# bash completion of ${name}: eval "$(${name} completion bash)"
_${name}_completion() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" place='' words='' i
  COMPREPLY=()
  # bash takes --flag=value for three words.
  if [[ $cur == = ]]; then cur=''; elif [[ $prev == = ]]; then prev="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place>\${COMP_WORDS[i]}" in
${steps(places)}
    esac
  done
  case "$place>$prev" in
${values(places, 'compopt -o default', choose)}
  esac
  case "$place" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -F _${name}_completion ${name}
`;
}

function zsh(name: string, places: readonly CompletedPlace[]): string {
  const described = (pairs: readonly (readonly [string, string])[]) =>
    pairs.map(([word, text]) => quote(`${word.replaceAll(':', '\\:')}:${oneLine(text)}`)).join(' ');
  const cases = places
    .map(({ path, commands, flags, choices }) => {
      const words = [...commands, ...choices.map((choice) => [choice, ''] as const)];
      return `    ${quote(path)}) words_here=(${described(words)}); flags_here=(${described(flags.map((flag) => [flag.name, flag.describe]))}) ;;`;
    })
    .join('\n');
  const choose = (choices: readonly string[]) => `compadd -- ${choices.join(' ')}`;
  return `#compdef ${name}
# zsh completion of ${name}: eval "$(${name} completion zsh)", or a file _${name} in a directory of $fpath
_${name}() {
  local place='' prev="\${words[CURRENT-1]}" word
  local -a words_here flags_here
  if [[ $PREFIX == --*=* ]]; then
    prev="\${PREFIX%%=*}"
    compset -P '*='
  fi
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$place>$word" in
${steps(places)}
    esac
  done
  case "$place>$prev" in
${values(places, '_files', choose)}
  esac
  case "$place" in
${cases}
  esac
  (( \${#words_here} )) && _describe command words_here
  _describe -o option flags_here
}
if [[ $funcstack[1] == _${name} ]]; then _${name} "$@"; else compdef _${name} ${name}; fi
`;
}

function fish(name: string, places: readonly CompletedPlace[]): string {
  const lines = places.flatMap(({ path, commands, flags, choices }) => {
    const here = `complete -c ${name} -n ${quote(`test (__${name}_place) = "${path}"`)}`;
    return [
      ...commands.map(([word, summary]) => `${here} -f -a ${word} -d ${fishQuote(summary)}`),
      ...(choices.length === 0 ? [] : [`${here} -f -a ${quote(choices.join(' '))}`]),
      ...flags.map(({ name: flag, describe, value }) => {
        const choose = value === undefined ? '' : value.choices.length === 0 ? ' -r' : ` -x -a ${quote(value.choices.join(' '))}`;
        return `${here} -l ${flag.slice(2)}${choose} -d ${fishQuote(describe)}`;
      }),
    ];
  });
  const cases = places
    .flatMap(({ path, commands }) => commands.map(([word]) => [path, word, path === '' ? word : `${path} ${word}`] as const))
    .map(([path, word, next]) => `            case ${quote(`${path}>${word}`)}\n                set place ${quote(next)}`)
    .join('\n');
  return `# fish completion of ${name}: ${name} completion fish > ~/.config/fish/completions/${name}.fish
function __${name}_place
    set -l place ''
    for word in (commandline -opc)[2..]
        switch "$place>$word"
${cases}
        end
    end
    echo "$place"
end
complete -c ${name} -f
${lines.join('\n')}
`;
}

/** Inside fish's single quotes a backslash stands for itself unless a quote or another follows. */
const fishQuote = (text: string): string => `'${oneLine(text).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

const WRITERS = { bash, zsh, fish } satisfies Record<Shell, (name: string, places: readonly CompletedPlace[]) => string>;
