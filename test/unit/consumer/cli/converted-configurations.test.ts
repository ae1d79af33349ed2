// Every file of mongo-connector in the fixtures: what it becomes is the same whether a process reads it itself or the YAML that
// `config convert` makes of it, shows no secret, and passes `config check`. What is refused is refused with a code that says why.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { type Conversion, toYaml } from '@tailwater/mongo-connector';
import { type ConfigFile, configOptions, createCli, parseConfigFile, programScope, TailwaterError, targetScope } from '@tailwater/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { consumerProgram } from '#consumer/cli/program.js';
import { readConfiguration } from '#mongo-connector/read-configuration.js';
import { producerProgram } from '#producer/cli/program.js';
import { type Resolved, resolveOptions } from '#runtime/config/load-options.js';

const FIXTURES = 'test/fixtures/mongo-connector';
const accepted = readdirSync(join(FIXTURES, 'accepted')).map((name) => join(FIXTURES, 'accepted', name));
const refused = readdirSync(join(FIXTURES, 'refused')).map((name) => join(FIXTURES, 'refused', name));

const directory = mkdtempSync(join(tmpdir(), 'converted-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** What a command prints, or the error that ends it. */
async function run(program: 'producer' | 'consumer', args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const io = { env, stdout: stdout as never, stderr: stderr as never, signal: new AbortController().signal };
  const error = await createCli(program === 'producer' ? producerProgram : consumerProgram)
    .execute(args, io)
    .then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
  if (error !== undefined && !(error instanceof TailwaterError)) throw error;
  return { error, stdout: String(stdout.read() ?? ''), stderr: String(stderr.read() ?? '') };
}

/** The values of every option for the producer and for each target; Kafka's brokers are not mongo-connector's business. */
function effective(file: ConfigFile, env: NodeJS.ProcessEnv): Record<string, Record<string, unknown>> {
  const { kafka: _, ...options } = configOptions;
  const valuesOf = (scope: ReturnType<typeof programScope>) => {
    const problems: TailwaterError[] = [];
    const resolved = Object.entries(resolveOptions(options, { flags: {}, env, file: scope }, problems));
    expect(problems).toEqual([]);
    return Object.fromEntries(resolved.map(([name, { value }]: [string, Resolved]) => [name, value]));
  };
  const targets = file.targets.map((name) => [name, valuesOf(targetScope(file, name))]);
  return { producer: valuesOf(programScope(file, 'producer')), ...Object.fromEntries(targets) };
}

const convert = (path: string) => {
  const { file, conversion } = readConfiguration(path, []);
  const yaml = toYaml(conversion as Conversion, path);
  const env = Object.fromEntries(yaml.references.map(({ variable, value }) => [variable, value]));
  return { file: file as ConfigFile, yaml, env };
};

it('there are files of every shape', () => {
  expect(accepted.length).toBeGreaterThanOrEqual(60);
});

describe.each(accepted)('%s', (path) => {
  it('means the same when it is converted', () => {
    const { file, yaml, env } = convert(path);
    expect(yaml.references).toHaveLength(new Set(Object.keys(env)).size);
    expect(effective(parseConfigFile(yaml.text, 'tailwater.yaml'), env)).toEqual(effective(file, {}));
  });

  it('is converted without a secret into what config check takes', async () => {
    const target = join(directory, `${accepted.indexOf(path)}.yaml`);
    const converted = await run('consumer', ['config', 'convert', path, '-o', target]);
    expect(converted.error).toBeUndefined();
    const text = readFileSync(target, 'utf8');
    expect(`${text}${converted.stderr}`).not.toMatch(/s3cret|czNjcmV0/);
    const { env } = convert(path);
    for (const variable of Object.keys(env)) expect(converted.stderr).toContain(variable);
    // What is converted was checked; that `config check` agrees is tried with some. Files of certificates and logs are those of another machine.
    if (accepted.indexOf(path) % 5 !== 0 || /\.pem|\/var\/log/.test(text)) return;
    expect((await run('producer', ['config', 'check', '-c', target], env)).error).toBeUndefined();
    if (text.includes('targets:')) expect((await run('consumer', ['config', 'check', '-c', target], env)).error).toBeUndefined();
  });
});

describe.each(refused)('%s', (path) => {
  const [code] = /TW\d{4}/.exec(path) ?? [];

  it('is refused, and no secret is shown', async () => {
    const { error, stdout } = await run('consumer', ['config', 'convert', path]);
    expect(error).toMatchObject({ code });
    expect(stdout).toBe('');
    expect(`${error?.message} ${error?.hint}`).not.toContain('s3cret');
  });
});

it.each(refused.filter((path) => path.includes('TW1004')))('%s is one mistake with its place', async (path) => {
  for (const program of ['producer', 'consumer'] as const) {
    const { error } = await run(program, ['config', 'check', '-c', path, '--kafka', 'k:9092']);
    expect(error).toMatchObject({ code: 'TW1004', message: expect.stringMatching(/\.json:\d+:\d+: the file is no JSON: /) });
  }
});
