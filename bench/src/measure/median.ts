// Rounds of two contestants in turn: what disturbs the machine disturbs both, and medians leave the outliers out.

/** The middle value, or the mean of the two middle ones. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** What one run of one contestant gave. */
export interface Run {
  /** Records or documents a second. */
  readonly rate: number;
  /** Peak resident memory of the process, in bytes. */
  readonly peakRssBytes: number;
  /** Processor time of all its threads, in microseconds; of our own processes only. */
  readonly cpuMicrosPerRecord?: number;
}

export interface Comparison {
  readonly mode: string;
  readonly unit: string;
  readonly records: number;
  readonly ours: readonly Run[];
  readonly limit: readonly Run[];
  /** What `limit` is, in words. */
  readonly limitIs: string;
  /** Median of ours divided by the median of the limit. */
  readonly ratio: number;
  /** The least ratio that is acceptable. */
  readonly floor: number;
}

/** Runs both in turn, the limit first. */
export async function interleave(
  rounds: number,
  ours: () => Promise<Run>,
  limit: () => Promise<Run>,
): Promise<{ ours: Run[]; limit: Run[]; ratio: number }> {
  const runs = { ours: [] as Run[], limit: [] as Run[] };
  for (let round = 0; round < rounds; round++) {
    runs.limit.push(await limit());
    runs.ours.push(await ours());
  }
  return { ...runs, ratio: median(runs.ours.map(({ rate }) => rate)) / median(runs.limit.map(({ rate }) => rate)) };
}
