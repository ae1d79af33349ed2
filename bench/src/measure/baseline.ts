// A baseline runs in a process of its own, as our commands do, and prints what it measured as one line of JSON.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Run } from './median.js';
import { peakRss } from './watch-counter.js';

/** Runs `baselines/<name>.js` with these arguments. */
export async function runBaseline(name: string, args: object): Promise<Run> {
  const script = fileURLToPath(new URL(`../baselines/${name}.js`, import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(args)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  for await (const part of child.stdout) output += String(part);
  const line = output.trim().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`The baseline ${name} printed no result`);
  return JSON.parse(line) as Run;
}

/** The baseline's side: its arguments. */
export function baselineArguments<T>(): T {
  return JSON.parse(process.argv[2] ?? '{}') as T;
}

/** The baseline's side: prints the result. */
export async function reportBaseline(records: number, startedAtMs: number): Promise<void> {
  const rate = (records * 1000) / (performance.now() - startedAtMs);
  const run: Run = { rate, peakRssBytes: await peakRss(process.pid) };
  process.stdout.write(`${JSON.stringify(run)}\n`);
}
