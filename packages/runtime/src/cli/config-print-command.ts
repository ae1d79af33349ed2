// `config print`: every value as a start would have it, and where it comes from.
import type { ConfigFile } from '../config/config-file.js';
import { programScope, targetScope } from '../config/file-scope.js';
import { loadOptions, type Origin, type Resolved, resolveOptions, type Sources } from '../config/load-options.js';
import { type Option, type Options, option, text, toggle } from '../config/option.js';
import { isRequired } from '../config/option-value.js';
import { throwProblems } from '../config/problems.js';
import { configOptions, configOptionsOf, keyOf, TARGET_PATH, targetSections } from '../config/schema/configuration.js';
import { isModulePath } from '../config/schema/targets.js';
import { REDACTED, redact, redactAddress } from '../errors/redact.js';
import type { TailwaterError } from '../errors/tailwater-error.js';
import { renderTable } from '../terminal/table.js';
import type { Command, CommandContext } from './command.js';
import { generalOptions } from './general-options.js';
import { asOptional } from './optional-options.js';

interface Line {
  readonly key: string;
  readonly value: unknown;
  readonly origin: Origin;
  readonly isMissing: boolean;
}

const own = { json: option(toggle(), { group: 'Output', describe: 'Print JSON instead of a table' }) };

/** @param options - those of `start` */
export function configPrintCommand(program: 'producer' | 'consumer', options: Options): Command {
  return {
    name: 'config print',
    summary: 'Show every effective value and its source, without secrets',
    options: { ...own, ...asOptional(options) },
    loadsItself: true,
    takesForeignOptions: true,
    examples: [
      [`$0 config print -c tailwater.yaml${program === 'consumer' ? ' --name search' : ''}`, 'a table'],
      ['$0 config print -c tailwater.yaml --json', 'for a script'],
    ],
    async run(_, context) {
      const { flags, env, file, commandLine } = context.given;
      const { json } = loadOptions(own, { flags: { json: flags['json'] }, env });
      const scopeOf = (each: ConfigFile) => (program === 'producer' ? programScope(each, program) : targetScope(each, nameOf(context)));
      const sources: Sources = { flags, env, file: file && scopeOf(file), commandLine: commandLine && scopeOf(commandLine) };
      const problems: TailwaterError[] = [];
      const all = { ...generalOptions, ...options };
      const resolved = resolveOptions(all, sources, problems);
      throwProblems(problems);
      const lines = toLines(all, resolved);
      context.stdout.write(json ? toJson(lines) : toTable(lines));
    },
  };
}

function nameOf({ given: { flags, env } }: CommandContext): string | undefined {
  return loadOptions({ name: option(text().optional(), { group: '', describe: '' }) }, { flags: { name: flags['name'] }, env }).name;
}

/** Those that the file has a key for; of a target, those of its type. */
function toLines(options: Options, resolved: Readonly<Record<string, Resolved>>): Line[] {
  const target = String(resolved['name']?.value ?? '<name>');
  const type = String(resolved['target']?.value ?? '');
  const known = Object.hasOwn(targetSections, type) ? targetSections[type as keyof typeof targetSections] : undefined;
  const section = known ?? (isModulePath(type) ? targetSections.module : undefined);
  const ofType = section === undefined ? undefined : new Set([...configOptionsOf(section)].map(([, { flag }]) => flag));
  // In the order of the file.
  return Object.keys(configOptions).flatMap((flag) => {
    const [key, given, found] = [keyOf(flag), options[flag], resolved[flag]];
    if (key === undefined || given === undefined || found === undefined) return [];
    const { value, origin } = found;
    const isOfTarget = key.startsWith(TARGET_PATH);
    if (isOfTarget && origin.kind !== 'flag' && ofType !== undefined && !ofType.has(flag)) return [];
    const shown = isOfTarget ? key.replace(TARGET_PATH, `targets.${target}`) : key;
    return [{ key: shown, value: masked(given, value), origin, isMissing: origin.kind === 'none' && isRequired(given) }];
  });
}

function masked({ secret }: Option, value: unknown): unknown {
  if (secret === undefined || value === undefined) return value;
  return secret === 'uri' ? redact(redactAddress(String(value))) : REDACTED;
}

function toJson(lines: readonly Line[]): string {
  const entries = lines.map(({ key, value = null, origin }) => {
    return [key, { value, origin: origin.kind, ...('place' in origin ? { place: origin.place } : {}) }];
  });
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`;
}

function toTable(lines: readonly Line[]): string {
  const rows = lines.map(({ key, value, origin, isMissing }) => {
    const from = 'place' in origin ? `${origin.kind} ${origin.place}` : origin.kind === 'none' ? 'not set' : origin.kind;
    return [key, typeof value === 'string' ? value : (JSON.stringify(value) ?? '-'), isMissing ? 'required, and not set' : from];
  });
  return `${renderTable(['key', 'value', 'from'], rows)}\n`;
}
