// A program of several commands: its arguments, its configuration, its help, its errors and its exit code.

import type { ConfigFile } from '../config/config-file.js';
import { readConfigFile } from '../config/config-file.js';
import { type FileScope, programScope, targetScope } from '../config/file-scope.js';
import { type Flags, loadOptions } from '../config/load-options.js';
import { flagName, type OptionValues, option, text } from '../config/option.js';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { DEFAULT_SHUTDOWN_TIMEOUT_MS, runProcess, StopRequested } from '../lifecycle/run-process.js';
import { Unfinished } from '../lifecycle/unfinished.js';
import type { Logger } from '../logging/logger.js';
import { type Log, openLog } from '../logging/open-log.js';
import { titleWithoutSecrets } from '../secrets/process-title.js';
import { ownVersion } from '../text/version.js';
import { type CliDescription, type Command, type CommandContext, optionsOf } from './command.js';
import { completionCommand } from './completion-command.js';
import type { Configuration } from './foreign-configuration.js';
import { generalOptions } from './general-options.js';
import { parseArguments } from './parse-arguments.js';

export interface CliOptions extends Omit<CliDescription, 'version'> {
  /** Default the version of this package, which all of them share. */
  readonly version?: string;
}

export interface CliIo {
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly signal: AbortSignal;
  /** Gets the log of the command once there is one. */
  readonly onLog?: (log: Log) => void;
  /** Gets the time that the command has for stopping, in milliseconds, if it has an option for it. */
  readonly onShutdownTimeout?: (ms: number) => void;
  readonly unfinished?: Unfinished;
}

export interface Cli {
  /** Runs as the process's only business, and ends it: see `runProcess` for signals and exit codes. */
  run(args?: readonly string[]): Promise<void>;
  /**
   * Runs one command line; nothing of the process is touched.
   *
   * @throws TailwaterError TW10xx for what is wrong in arguments, environment or file, and what the command throws
   */
  execute(args: readonly string[], io: CliIo): Promise<void>;
}

/**
 * Every option of a command can be given as a flag, as an environment variable, or in the file that --config names, in this order.
 *
 * @example await createCli({ name: 'producer', description: '…', commands: [startCommand] }).run();
 */
export function createCli(options: CliOptions): Cli {
  const description = describeCli(options);
  const execute: Cli['execute'] = (args, io) => runCommand(description, args, io);
  return {
    execute,
    run: (args = process.argv.slice(2)) => {
      const { env, stdout, stderr } = process;
      const title = titleWithoutSecrets([description.name, ...args], secretFlags(description));
      if (title !== undefined) process.title = title;
      let log: Log | undefined;
      const onLog = (opened: Log) => {
        log = opened;
      };
      let shutdownTimeoutMs = DEFAULT_SHUTDOWN_TIMEOUT_MS;
      const onShutdownTimeout = (ms: number) => {
        shutdownTimeoutMs = ms;
      };
      const unfinished = new Unfinished();
      return runProcess((signal) => execute(args, { env, stdout, stderr, signal, onLog, onShutdownTimeout, unfinished }), {
        shutdownTimeoutMs: () => shutdownTimeoutMs,
        unfinished: () => unfinished.names,
        onUnfinished: async (error) => {
          log?.logger.error({ code: error.code, unfinished: unfinished.names }, error.message);
          await log?.close();
        },
        onDefect: async (error) => {
          log?.logger.fatal({ err: error }, 'Ended by a defect of the program');
          await log?.close();
        },
      });
    },
  };
}

/** The program with the commands that every program has. */
export function describeCli(options: CliOptions): CliDescription {
  const description: CliDescription = {
    ...options,
    version: options.version ?? ownVersion(),
    commands: [...options.commands, completionCommand(options.name, () => description)],
  };
  return description;
}

async function runCommand(cli: CliDescription, args: readonly string[], io: CliIo): Promise<void> {
  const parsed = parseArguments(cli, args, io.stdout.columns);
  if (parsed.kind === 'help') {
    io.stdout.write(parsed.text);
    return;
  }
  if (parsed.kind === 'nothing') {
    io.stderr.write(`${parsed.help}\n`);
    throw new TailwaterError(errorCodes.NO_COMMAND_GIVEN, { program: parsed.program });
  }
  const { command, flags, foreign, positionals } = parsed;
  const { env, signal, stdout, stderr } = io;
  const { config } = loadOptions({ config: generalOptions.config }, { flags: { config: flags['config'] }, env });
  const { file, commandLine, tell } = cli.foreign?.read(config, foreign) ?? ownConfiguration(config);
  if (tell !== undefined) requireBrokers(command, flags, env);
  const given = { flags, env, file, commandLine };
  const values = loadOptions(command.loadsItself ? generalOptions : optionsOf(command), {
    ...given,
    file: scopeOf(cli, command, given),
    commandLine: scopeOf(cli, command, { ...given, file: commandLine }),
  });
  const { shutdownTimeout } = values as { readonly shutdownTimeout?: number };
  if (shutdownTimeout !== undefined) io.onShutdownTimeout?.(shutdownTimeout * 1000);
  const settings = values as OptionValues<typeof generalOptions>;
  const log = await openLog(cli.name, command.loadsItself ? { ...settings, logFile: undefined, logSyslog: undefined } : settings);
  io.onLog?.(log);
  const { logger } = log;
  if (command.isService === true) {
    signal.addEventListener('abort', () => logger.info(...stopping(signal.reason)), { once: true });
    if (!log.isOnStderr && stderr.isTTY === true) stderr.write(`Logging to ${log.places.join(' and ')}\n`);
  }
  if (tell !== undefined && command.isService === true) tellForeign(logger, cli.name, tell);
  try {
    const unfinished = io.unfinished ?? new Unfinished();
    await command.run(values, { signal, logger, unfinished, stdout, stderr, arguments: positionals, given });
  } catch (error) {
    // On a terminal the error that is printed is the end of the log.
    const isSeen = log.isOnStderr && (stderr.isTTY === true || command.isService !== true);
    if (!isSeen && !signal.aborted) logger.fatal({ err: error }, endedBy(`${cli.name} ${command.name}`, error));
    throw error;
  } finally {
    await log.close();
  }
}

const endedBy = (what: string, error: unknown): string =>
  `${what} ended by ${error instanceof TailwaterError ? `${error.code}: ${error.message}` : 'an error'}`;

const stopping = (reason: unknown): [object, string] => [
  reason instanceof StopRequested ? { signal: reason.signalName } : {},
  'Stopping: what is under way is finished first',
];

/** What of the file is said for this process, or for the target that the command is about. */
function scopeOf(cli: CliDescription, command: Command, { flags, env, file }: CommandContext['given']): FileScope | undefined {
  if (file === undefined) return undefined;
  const { name: nameOption } = command.options;
  if (nameOption === undefined || command.loadsItself) return programScope(file, cli.name);
  const { name } = loadOptions({ name: option(text().optional(), nameOption) }, { flags: { name: flags['name'] }, env });
  return targetScope(file, name ?? onlyTargetOf(file, flags['target']));
}

/** Of several targets the one of the type that --target names, if it is the only one. */
function onlyTargetOf(file: ConfigFile, given: Flags[string]): string | undefined {
  const type = Array.isArray(given) ? (given.at(-1) as string) : undefined;
  const matching = file.targets.filter((name) => file.entries.get(`targets.${name}.type`)?.written === type);
  return matching.length === 1 ? matching[0] : undefined;
}

const ownConfiguration = (path: string | undefined): Configuration => ({ file: path === undefined ? undefined : readConfigFile(path) });

/**
 * mongo-connector had no Kafka, so nothing that its users have names brokers, and a guess would be one.
 *
 * @throws TailwaterError TW1063
 */
function requireBrokers({ options }: Command, flags: Flags, env: NodeJS.ProcessEnv): void {
  const isNeeded = Object.hasOwn(options, 'kafka');
  if (isNeeded && flags['kafka'] === undefined && !env['TAILWATER_KAFKA'])
    throw new TailwaterError(errorCodes.MONGO_CONNECTOR_WITHOUT_KAFKA, {});
}

/** One line, whatever the log's level: a verbosity of 0 must not hide what became of the other keys. */
function tellForeign(logger: Logger, program: string, tell: NonNullable<Configuration['tell']>): void {
  logger.child({ component: 'config' }, { level: 'info' }).warn(tell(program === 'producer' ? 'producer' : 'consumer'));
}

function secretFlags(cli: CliDescription): ReadonlySet<string> {
  const options = cli.commands.flatMap((command) => Object.entries(optionsOf(command)));
  const own = options.filter(([, { secret }]) => secret !== undefined).map(([name]) => flagName(name));
  return new Set([...own, ...(cli.foreign?.secretFlags ?? [])]);
}
