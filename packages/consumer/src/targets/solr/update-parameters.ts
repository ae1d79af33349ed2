// The parameters of update requests: the chain they go through, and when what they write can be searched.
import type { SolrSettings } from './options.js';

export interface UpdateParameters {
  /** For several changes: what is refused must not keep the others out, where the chain can do that. */
  readonly batch: string;
  /** For one change: its refusal is the status of the answer. */
  readonly single: string;
  /** For none. */
  readonly empty: string;
}

/** @param autoCommitInterval seconds until what was written can be searched: 0 at once, undefined when the core decides */
export function updateParameters({ updateChain }: SolrSettings, autoCommitInterval: number | undefined): UpdateParameters {
  const base = new URLSearchParams({ wt: 'json', ...(updateChain === undefined ? {} : { 'update.chain': updateChain }) });
  const visible = new URLSearchParams(base);
  if (autoCommitInterval === 0) visible.set('commit', 'true');
  else if (autoCommitInterval !== undefined) visible.set('commitWithin', String(Math.round(autoCommitInterval * 1000)));
  if (updateChain === undefined) return { batch: String(visible), single: String(visible), empty: String(base) };
  // Means something to a chain with TolerantUpdateProcessorFactory alone. Never `processor=tolerant`: the leaders of other shards
  // are not told of it, and there a refused document would take its neighbours with it without a word (measured on 9.10).
  return { batch: `${visible}&maxErrors=-1`, single: `${visible}&maxErrors=0`, empty: String(base) };
}
