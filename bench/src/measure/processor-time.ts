// The processor time that processes take between two moments, for runs in which it says more than the clock: on a busy machine it stays the same.
import { cpuMicros, peakRss } from './watch-counter.js';

/** Each by its name. A process that is down takes none. */
export type Watched = Readonly<Record<string, { readonly pid: number | undefined }>>;

/** Seconds of processor time since the process began, by name. */
export async function processorSeconds(watched: Watched): Promise<Record<string, number>> {
  return mapProcesses(watched, async (pid) => (await cpuMicros(pid)) / 1_000_000);
}

/** The most resident memory that each has had, in bytes. */
export const peakMemory = (watched: Watched): Promise<Record<string, number>> => mapProcesses(watched, peakRss);

/** What `after` has more than `before`; what began in between counts whole. */
export const since = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)]));

async function mapProcesses(watched: Watched, measure: (pid: number | undefined) => Promise<number>): Promise<Record<string, number>> {
  return Object.fromEntries(await Promise.all(Object.entries(watched).map(async ([name, { pid }]) => [name, await measure(pid)] as const)));
}
