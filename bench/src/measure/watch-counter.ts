// The speed of a running command, from the counters of its own status server, the processor's time that it took, and the most memory.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PipelineProcess } from '@tailwater/devstack';
import type { Run } from './median.js';

const POLL_MS = 50;
const TIMEOUT_MS = 600_000;
/** Units of processor time in /proc, USER_HZ (proc(5)): 100 a second on every Linux that Node runs on. */
const TICK_MICROS = 10_000;

/** The value of a counter or gauge without labels, or the sum over its labels. */
export async function readMetric(process: PipelineProcess, name: string): Promise<number> {
  const text = await (await fetch(`${process.url}/metrics`)).text();
  let sum = 0;
  for (const line of text.split('\n')) {
    if (line.startsWith(`${name} `) || line.startsWith(`${name}{`)) sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}

/** Waits until the counter has grown to `goal`, and gives the rate between its first step and its last. */
export async function watchCounter(process: PipelineProcess, name: string, goal: number): Promise<Run> {
  const deadline = performance.now() + TIMEOUT_MS;
  let first: { value: number; atMs: number; cpuMicros: number } | undefined;
  for (;;) {
    const value = await readMetric(process, name);
    const atMs = performance.now();
    if (first === undefined && value > 0) first = { value, atMs, cpuMicros: await cpuMicros(process.pid) };
    if (value >= goal && first !== undefined) {
      const records = value - first.value;
      return {
        rate: (records * 1000) / (atMs - first.atMs),
        peakRssBytes: await peakRss(process.pid),
        cpuMicrosPerRecord: ((await cpuMicros(process.pid)) - first.cpuMicros) / records,
      };
    }
    if (atMs > deadline) throw new Error(`${name} stands at ${value} of ${goal} after ${TIMEOUT_MS} ms`);
    await sleep(POLL_MS);
  }
}

/** The high-water mark of a process's resident memory, in bytes, from /proc; 0 where there is none. */
export async function peakRss(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024;
}

/** The processor time of a process in all its threads, in microseconds, from /proc; 0 where there is none. */
export async function cpuMicros(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name of the program, in parentheses, may hold anything; utime and stime are the 12th and 13th field behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * TICK_MICROS;
}
