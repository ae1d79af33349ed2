// Prometheus' own tool, which checks rules and says which alerts fire: PROMTOOL, the one on PATH, or that of Debian's package `prometheus`, of which nothing is installed.
import { execFile } from 'node:child_process';
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Cache } from '#devstack/artifacts/cache.js';

const run = promisify(execFile);
const RULES = fileURLToPath(new URL('../../ops/prometheus/alerts.yml', import.meta.url));
const PACKAGE = 'prometheus';
const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([-+0-9.eE]+|[-+]Inf)$/;
/** A state that lasts for so many minutes fires whatever is going to. */
const MINUTES = 40;

/** Undefined where there is none, and none is to be had. */
export async function findPromtool(): Promise<string | undefined> {
  const given = process.env['PROMTOOL'];
  if (given !== undefined) return given;
  const isOnPath = await run('promtool', ['--version']).then(
    () => true,
    () => false,
  );
  if (isOnPath) return 'promtool';
  const make = async (folder: string): Promise<void> => {
    const download = () => run('apt-get', ['download', '-qq', PACKAGE], { cwd: folder });
    await download().catch(async () => {
      await run('apt-get', ['update', '-qq']);
      await download();
    });
    await run('sh', ['-c', `dpkg-deb --fsys-tarfile ${PACKAGE}_*.deb | tar -x ./usr/bin/promtool && rm ${PACKAGE}_*.deb`], { cwd: folder });
  };
  try {
    const folder = await new Cache().entry({ name: 'promtool', label: 'promtool', verb: 'fetch', make });
    const promtool = join(folder, 'usr', 'bin', 'promtool');
    await access(promtool);
    return promtool;
  } catch (error) {
    process.stderr.write(`No promtool: ${String(error)}\n`);
    return undefined;
  }
}

/** What promtool says of rules, or of tests of rules; it rejects with the complaints. */
export async function promtool(tool: string, ...args: string[]): Promise<string> {
  try {
    return (await run(tool, args, { maxBuffer: 64 * 1024 * 1024 })).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`);
  }
}

/**
 * Resolves when each of these alerts would fire, were what `/metrics` said to last: the counters as if they had just come to it.
 *
 * @param scrapes - by instance
 * @param only - of the alerts, those that are looked at; by default those that are expected
 */
export async function expectFiring(
  tool: string,
  scrapes: Readonly<Record<string, string>>,
  alerts: readonly string[],
  only = alerts,
): Promise<void> {
  const series = Object.entries(scrapes).flatMap(([instance, text]) => text.split('\n').flatMap((line) => toSeries(instance, line)));
  const samples = alerts.map((alert) => ({ labels: `{alertname="${alert}"}`, value: 1 }));
  const expr = `group by (alertname) (ALERTS{alertstate="firing", alertname=~"${only.join('|')}"})`;
  const test = { interval: '1m', input_series: series, promql_expr_test: [{ expr, eval_time: `${MINUTES - 1}m`, exp_samples: samples }] };
  const folder = await mkdtemp(join(tmpdir(), 'promtool-'));
  try {
    const file = join(folder, 'test.json');
    // YAML takes JSON as it is.
    await writeFile(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '30s', tests: [test] }));
    await promtool(tool, 'test', 'rules', file);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function toSeries(instance: string, line: string): { series: string; values: string }[] {
  const [, name, labels, value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || value === undefined || name.endsWith('_bucket')) return [];
  const all = [`job="tailwater"`, `instance="${instance}"`, ...(labels === undefined || labels === '' ? [] : [labels])].join(',');
  const before = name.endsWith('_total') ? '0x5 ' : '';
  return [{ series: `${name}{${all}}`, values: `${before}${value}x${MINUTES}` }];
}
