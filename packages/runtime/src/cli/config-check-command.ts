// `config check`: whether a process would start with what it is given, before it is started. Offline, or by connecting to every server.
import type { ConfigFile } from '../config/config-file.js';
import { type FileScope, programScope, targetScope } from '../config/file-scope.js';
import { loadOptions, type Sources } from '../config/load-options.js';
import { type Options, type OptionValues, option, toggle } from '../config/option.js';
import { throwProblems } from '../config/problems.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { checkLog } from '../logging/open-log.js';
import { renderTable } from '../terminal/table.js';
import type { Command, CommandContext } from './command.js';
import { generalOptions } from './general-options.js';
import { asOptional } from './optional-options.js';

/** A server that a process talks to. */
interface Hop {
  /** `MongoDB`, `Kafka` */
  readonly name: string;
  /** What answers there; throws the error with which a start would end. */
  connect(signal: AbortSignal): Promise<string>;
}

/** What `start` makes of its options before it connects. */
export interface Prepared {
  readonly hops: readonly Hop[];
  /** Frees what was made; no hop is connecting then. */
  close(): Promise<void>;
}

export interface StartDescription<Given extends Options> {
  /** `producer`, or `consumer`, each of whose targets is checked. */
  readonly program: 'producer' | 'consumer';
  /** The options of `start`. */
  readonly options: Given;
  /** @throws TailwaterError what a start would throw that has connected to nothing yet */
  prepare(values: OptionValues<Given>, context: CommandContext): Promise<Prepared>;
}

type Row = readonly [what: string, outcome: string, detail: string];

export function configCheckCommand<Given extends Options>(start: StartDescription<Given>): Command {
  const own = { connect: option(toggle(), { group: 'Check', describe: 'Also connect to every server, like a start' }) };
  const { program } = start;
  return {
    name: 'config check',
    summary: 'Check the configuration, and with --connect whether every server answers',
    description: `Checks the file, the environment and the flags as \`${program} start\` would, and starts nothing.${
      program === 'consumer' ? ' Without --name, every target of the file.' : ''
    }`,
    options: { ...own, ...asOptional(start.options) },
    loadsItself: true,
    takesForeignOptions: true,
    examples: [
      ['$0 config check -c tailwater.yaml', 'offline'],
      ['$0 config check -c tailwater.yaml --connect', 'and whether every server lets this process in'],
    ],
    async run(_, context) {
      const { connect } = loadOptions(own, { flags: { connect: context.given.flags['connect'] }, env: context.given.env });
      const prepared = await prepareAll(start, context);
      try {
        const rows: Row[] = prepared.map(({ label }) => [label, 'ok', context.given.file?.file ?? 'flags and environment']);
        const problems = connect ? await connectAll(prepared, rows, context.signal) : [];
        context.stdout.write(`${renderTable(['', '', ''], rows).trimStart()}\n`);
        // The table has told of all of them.
        const [first] = problems;
        if (first !== undefined) throw first;
      } finally {
        await Promise.all(prepared.map((each) => each.close()));
      }
    },
  };
}

interface Labelled extends Prepared {
  readonly label: string;
}

async function prepareAll<Given extends Options>(start: StartDescription<Given>, context: CommandContext): Promise<Labelled[]> {
  const prepared: Labelled[] = [];
  const problems: TailwaterError[] = [];
  for (const { label, sources } of sourcesOf(start.program, context)) {
    try {
      checkLog(loadOptions(generalOptions, sources));
      prepared.push({ label, ...(await start.prepare(loadOptions(start.options, sources), context)) });
    } catch (error) {
      if (!(error instanceof TailwaterError)) throw error;
      problems.push(error);
    }
  }
  if (problems.length > 0) await Promise.all(prepared.map((each) => each.close()));
  throwProblems(problems);
  return prepared;
}

/** One for the producer; for a consumer one for each target, or for the one that is named. */
function sourcesOf(program: string, { given: { flags, env, file, commandLine } }: CommandContext): { label: string; sources: Sources }[] {
  const sources = (scopeOf: (each: ConfigFile) => FileScope): Sources => {
    return { flags, env, file: file && scopeOf(file), commandLine: commandLine && scopeOf(commandLine) };
  };
  if (file === undefined || program === 'producer') return [{ label: program, sources: sources((each) => programScope(each, program)) }];
  const [flag] = Array.isArray(flags['name']) ? flags['name'] : [];
  const name = flag ?? (env['TAILWATER_NAME'] || undefined);
  const names = name === undefined && file.targets.length > 0 ? file.targets : [name];
  return names.map((target) => ({ label: target ?? program, sources: sources((each) => targetScope(each, target)) }));
}

async function connectAll(prepared: readonly Labelled[], rows: Row[], signal: AbortSignal): Promise<TailwaterError[]> {
  const attempts = prepared.flatMap(({ label, hops }) =>
    hops.map((hop) => ({ what: `${label}: ${hop.name}`, answer: hop.connect(signal) })),
  );
  const outcomes = await Promise.allSettled(attempts.map(({ answer }) => answer));
  const problems: TailwaterError[] = [];
  for (const [index, { what }] of attempts.entries()) {
    const outcome = outcomes[index];
    if (outcome?.status === 'fulfilled') rows.push([what, 'ok', outcome.value]);
    else if (outcome?.reason instanceof TailwaterError) {
      problems.push(outcome.reason);
      rows.push([what, 'failed', `${outcome.reason.code} ${outcome.reason.message}`]);
    } else throw outcome?.reason;
  }
  return problems;
}
