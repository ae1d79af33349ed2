import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import {
  type Command,
  type CommandContext,
  configOptions,
  createCli,
  type Options,
  option,
  TailwaterError,
  toggle,
} from '@tailwater/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

interface Run {
  readonly command: string;
  readonly values: Record<string, unknown>;
  readonly context: CommandContext;
}

const { mongo, kafka, statusPort } = configOptions;
const startOptions = {
  mongo,
  kafka,
  statusPort: { ...statusPort, alias: 'p' },
  json: option(toggle(), { group: 'Output', describe: 'Print JSON' }),
} satisfies Options;

/** Runs one command line of a program with two commands and a group; what it printed, threw, and which command it ran. */
async function run(
  line: string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ ran: Run | undefined; stdout: string; stderr: string; error: TailwaterError | undefined }> {
  let ran: Run | undefined;
  const record = (command: string) => async (values: object, context: CommandContext) => {
    ran = { command, values: { ...values }, context };
  };
  const start: Command<typeof startOptions> = {
    name: 'start',
    summary: 'Publish changes',
    description: 'Publishes changes until it is stopped.',
    options: startOptions,
    examples: [['$0 start --mongo mongodb://h', 'publish everything']],
    run: record('start'),
  };
  const list: Command = {
    name: 'dead-letters list',
    summary: 'List them',
    options: { limit: option(z.int().optional(), { group: 'Output', describe: 'How many' }) },
    examples: [],
    run: record('list'),
  };
  const show: Command = {
    name: 'dead-letters show',
    summary: 'Show one',
    options: {},
    positionals: { id: { describe: 'Which' }, field: { describe: 'What of it', required: false } },
    examples: [],
    run: record('show'),
  };
  const cli = createCli({
    name: 'producer',
    description: 'From MongoDB to Kafka',
    version: '1.2.3',
    commands: [start, list, show],
    groups: { 'dead-letters': 'Look after refused changes' },
  });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = {
    env,
    stdout: stdout as unknown as NodeJS.WriteStream,
    stderr: stderr as unknown as NodeJS.WriteStream,
    signal: new AbortController().signal,
  };
  let error: TailwaterError | undefined;
  try {
    await cli.execute(line, io);
  } catch (thrown) {
    if (!(thrown instanceof TailwaterError)) throw thrown;
    error = thrown;
  }
  return { ran, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? ''), error };
}

const directories: string[] = [];
function configFile(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'tailwater-cli-'));
  directories.push(directory);
  const file = join(directory, 'tailwater.yaml');
  writeFileSync(file, text);
  return file;
}
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true });
});

/** What every command has when nobody says anything. */
const LOGGING = {
  logLevel: ['info'],
  logFormat: undefined,
  logFile: undefined,
  logRotateSize: '100m',
  logRotateEvery: undefined,
  logKeep: 10,
  logSyslog: undefined,
  logSyslogFacility: 'daemon',
};

describe('a command line', () => {
  it('runs its command with typed values and defaults', async () => {
    const { ran, stdout, stderr } = await run([
      'start',
      '--mongo',
      'mongodb://h',
      '--kafka',
      'a:1,b:2',
      '--kafka=c:3',
      '-p',
      '0',
      '--json',
    ]);
    expect(ran?.command).toBe('start');
    expect(ran?.values).toEqual({
      mongo: 'mongodb://h',
      kafka: ['a:1', 'b:2', 'c:3'],
      statusPort: 0,
      json: true,
      config: undefined,
      ...LOGGING,
    });
    expect(ran?.context.logger.level).toBe('info');
    expect([stdout, stderr]).toEqual(['', '']);
  });

  it('takes values that begin with a minus, a dot, or look like numbers, as they are', async () => {
    const { ran } = await run(['start', '--mongo', '0123', '--kafka', '.x', '--status-port', '007', '--no-json']);
    expect(ran?.values).toMatchObject({ mongo: '0123', kafka: ['.x'], statusPort: 7, json: false });
    expect((await run(['dead-letters', 'list', '--limit', '-1'])).ran?.values).toMatchObject({ limit: -1 });
  });

  it('runs a command of a group, with arguments', async () => {
    expect((await run(['dead-letters', 'list', '--limit', '5'])).ran).toMatchObject({ command: 'list', values: { limit: 5 } });
    expect((await run(['dead-letters', 'show', '007'])).ran?.context.arguments).toEqual({ id: '007' });
    expect((await run(['dead-letters', 'show', 'a', 'b', '--log-level', 'warn'])).ran?.context.arguments).toEqual({ id: 'a', field: 'b' });
  });

  it('has a logger of the level that was asked for', async () => {
    expect((await run(['dead-letters', 'list', '--log-level', 'debug'])).ran?.context.logger.level).toBe('debug');
    expect((await run(['dead-letters', 'list'], { TAILWATER_LOG_LEVEL: 'warn' })).ran?.context.logger.level).toBe('warn');
  });
});

describe('the configuration file', () => {
  it('stands behind the environment and the flags', async () => {
    const file = configFile(
      'source: { uri: of-file }\nkafka: { brokers: [f:1] }\nproducer: { status: { port: 1 } }\ntargets: { x: { type: es } }\n',
    );
    const { ran } = await run(['start', '-c', file, '--mongo', 'of-flag'], { TAILWATER_KAFKA: 'e:1' });
    expect(ran?.values).toMatchObject({ mongo: 'of-flag', kafka: ['e:1'], statusPort: 1, config: file });
  });

  it('can be named by the environment, and serves every command', async () => {
    const file = configFile('source: { uri: of-file }\nlogging: { level: warn }\n');
    expect((await run(['dead-letters', 'list'], { TAILWATER_CONFIG: file })).ran?.values).toMatchObject({ logLevel: ['warn'] });
    expect((await run(['start'], { TAILWATER_CONFIG: file })).ran?.values).toMatchObject({ mongo: 'of-file' });
  });

  it('is checked', async () => {
    const file = configFile('source:\n  uri: m\nstatus: { prt: 1 }\n');
    expect((await run(['start', '--config', file])).error).toMatchObject({
      code: 'TW1001',
      message: `${file}:3:11: unknown key status.prt, did you mean port?`,
      exitCode: 2,
    });
  });
});

describe('a wrong command line', () => {
  it.each([
    [['start', '--mongo', 'm', '--status-prot', '1'], 'TW1005', 'Unknown flag --status-prot, did you mean --status-port?'],
    [['start', '--mongo', 'm', '--statusPort', '1'], 'TW1005', 'Unknown flag --statusPort, did you mean --status-port?'],
    [['start', '--mongo', 'm', '--frobnicate'], 'TW1005', 'Unknown flag --frobnicate'],
    [['start', '--mongo', 'm', '-x'], 'TW1005', 'Unknown flag -x'],
    [['start', '--limit', '5'], 'TW1005', 'Unknown flag --limit'],
    [['start', '--mongo', 'm', '--status-port', 'ten'], 'TW1006', '--status-port must be a whole number from 0 to 65535, not "ten"'],
    [['start', '--mongo'], 'TW1006', '--mongo must be a text, not nothing'],
    [['start', '--mongo', '--json'], 'TW1006', '--mongo must be a text, not nothing'],
    [['start', '--mongo', 'm', '--json=maybe'], 'TW1006', '--json must be true or false, not "maybe"'],
    [['start', '--mongo', 'm', '--log-level', 'loud'], 'TW1080', 'loud in --log-level is not usable: there is no level "loud"'],
    [['start'], 'TW1007', 'The option --mongo is required'],
    [['strat'], 'TW1008', 'Unknown command "strat", did you mean start?'],
    [['5'], 'TW1008', 'Unknown command "5"'],
    [['dead-letters', 'lst'], 'TW1008', 'Unknown command "lst", did you mean list?'],
    [['start', 'now', '--mongo', 'm'], 'TW1014', 'Wrong arguments for producer start: unexpected argument "now"'],
    [['dead-letters', 'show'], 'TW1014', 'Wrong arguments for producer dead-letters show: it takes <id> [field]'],
    [['dead-letters', 'show', 'a', 'b', 'c'], 'TW1014', 'Wrong arguments for producer dead-letters show: unexpected argument "c"'],
  ])('%j', async (line, code, message) => {
    const { ran, error, stdout, stderr } = await run(line);
    expect(error).toMatchObject({ code, message, exitCode: 2 });
    expect([ran, stdout, stderr]).toEqual([undefined, '', '']);
  });

  it('without a command shows which there are', async () => {
    const { error, stdout, stderr } = await run([]);
    expect(error).toMatchObject({ code: 'TW1018', message: 'producer needs a command' });
    expect([stdout, stderr]).toEqual(['', expect.stringContaining('producer start')]);
    const group = await run(['dead-letters']);
    expect(group.error).toMatchObject({ code: 'TW1018', message: 'producer dead-letters needs a command' });
    expect(group.stderr).toContain('producer dead-letters show <id> [field]');
  });
});

describe('--help and --version', () => {
  it('lists the commands, a group as one', async () => {
    const { stdout, error } = await run(['--help']);
    expect(error).toBeUndefined();
    expect(stdout).toMatch(/From MongoDB to Kafka\n\nUsage: producer <command> \[options\]/);
    expect(stdout).toMatch(/producer start +Publish changes\n +producer dead-letters +Look after refused changes\n/);
  });

  it('describes a command: groups in order, defaults, required, choices, examples', async () => {
    const { stdout, ran } = await run(['start', '--help']);
    expect(ran).toBeUndefined();
    expect(stdout).toContain('Publishes changes until it is stopped.');
    expect([...stdout.matchAll(/^(\w+):$/gm)].map(([, title]) => title)).toEqual([
      'Source',
      'Kafka',
      'Status',
      'Output',
      'General',
      'Logging',
      'Examples',
      'Environment',
      'Files',
    ]);
    expect(stdout).toMatch(/--mongo +Connection string [^[]+\[required\] +\[string\]/);
    expect(stdout).toMatch(/--kafka +Brokers to start from, host:port +\[array\] \[default: 127\.0\.0\.1:9092\]/);
    expect(stdout).toMatch(/-p, --status-port +Port of the status server; 0 takes a free one +\[number\] \[default: 0\]/);
    expect(stdout).toContain('[choices: pretty, json]');
    expect(stdout).toMatch(/producer start --mongo mongodb:\/\/h +publish everything/);
    expect(stdout).toContain('TAILWATER_STATUS_PORT');
    expect(stdout).toMatch(/^Exit codes:\n {2}0 {2}done/m);
    expect(stdout).toMatch(/^See also:\n {2}producer dead-letters list/m);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
  });

  it('helps even where something is missing or wrong', async () => {
    expect((await run(['start', '--nonsense', '--help'])).stdout).toContain('Usage: producer start');
    expect((await run(['dead-letters', '--help'])).stdout).toMatch(/dead-letters list +List them/);
  });

  it('says its version', async () => {
    expect((await run(['--version'])).stdout).toBe('1.2.3\n');
  });
});
