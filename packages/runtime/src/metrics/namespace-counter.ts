// A counter by namespace with few labels, however many namespaces there are: the busiest have a label of their own, and the rest share `other`.
//
// Maintained invariants: no series ever falls, and the labels' sum grows by exactly what was counted. So what a namespace had while it had no label stays with
// `other`, one that loses its label keeps its count for when it has one again, and only a new label takes what comes from then on.
import type { MetricDeclaration } from './metric-table.js';
import type { Counter, Metrics } from './metrics.js';

const OTHER = 'other';

/** Another namespace must have so many times the count to take a label over, so that two that are alike do not change places at each reading. */
const STEADINESS = 1.25;

interface Entry {
  /** What was counted by the last reading. */
  total: number;
  /** What of it is in the series of its own. */
  shown: number;
  isLabelled: boolean;
}

export interface NamespaceCounterOptions {
  /** So many namespaces have a label of their own. */
  readonly limit: number;
  /** What was counted of each namespace since the process began; asked for when the metrics are read. */
  readonly totals: () => Iterable<readonly [namespace: string, total: number]>;
}

export function registerNamespaceCounter(
  metrics: Metrics,
  { name, help }: Pick<MetricDeclaration, 'name' | 'help'>,
  { limit, totals }: NamespaceCounterOptions,
): void {
  const entries = new Map<string, Entry>();
  const collect = (counter: Counter<'namespace'>): void => {
    const grown: (readonly [string, Entry, number])[] = [];
    for (const [namespace, total] of totals()) {
      const entry = entries.get(namespace) ?? { total: 0, shown: 0, isLabelled: false };
      entries.set(namespace, entry);
      if (total > entry.total) grown.push([namespace, entry, total - entry.total]);
      entry.total = total;
    }
    const chosen = busiest(entries, limit);
    for (const [namespace, entry] of entries) {
      const isChosen = chosen.has(namespace);
      if (isChosen && !entry.isLabelled) counter.inc({ namespace }, entry.shown);
      if (!isChosen && entry.isLabelled) counter.remove({ namespace });
      entry.isLabelled = isChosen;
    }
    for (const [namespace, entry, growth] of grown) {
      if (entry.isLabelled) entry.shown += growth;
      counter.inc({ namespace: entry.isLabelled ? namespace : OTHER }, growth);
    }
  };
  metrics.counter<'namespace'>({ name, help, labels: ['namespace'], collect });
}

function busiest(entries: ReadonlyMap<string, Entry>, limit: number): ReadonlySet<string> {
  if (entries.size <= limit) return new Set(entries.keys());
  const weight = ({ total, isLabelled }: Entry): number => (isLabelled ? total * STEADINESS : total);
  const ranked = [...entries].sort(([, a], [, b]) => weight(b) - weight(a));
  return new Set(ranked.slice(0, limit).map(([namespace]) => namespace));
}
