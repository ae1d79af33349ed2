// Prometheus' text format as OpenMetrics, for scrapers that ask for it. prom-client writes both, but renames its counters for good when it writes the second.
// https://prometheus.io/docs/specs/om/open_metrics_spec/
const COUNTER = /^# TYPE (\S+)_total counter$/;
const BOUND = /(?<=[{,])(le|quantile)="(-?\d+)"/;

export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** Whether an Accept header asks for it: any scraper that names it can read it. */
export const asksForOpenMetrics = (accept: string | undefined): boolean => accept?.includes('application/openmetrics-text') === true;

/** Families of counters go without their `_total`, bounds are written as floats, nothing stands between families, and the end is marked. */
export function toOpenMetrics(text: string): string {
  const lines = text.split('\n').filter((line) => line !== '');
  const counters = new Set(lines.flatMap((line) => COUNTER.exec(line)?.[1] ?? []));
  const written = lines.map((line) => (line.startsWith('#') ? describedAs(line, counters) : line.replace(BOUND, '$1="$2.0"')));
  return `${written.join('\n')}\n# EOF\n`;
}

function describedAs(line: string, counters: ReadonlySet<string>): string {
  const [, word, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
  const family = name.endsWith('_total') ? name.slice(0, -'_total'.length) : name;
  const text = word === 'HELP' ? rest.replaceAll('"', '\\"') : rest;
  return `# ${word} ${counters.has(family) && family !== name ? family : name} ${text}`;
}
