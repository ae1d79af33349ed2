// The numbers of a process, declared in one table: what counts them takes name and help from it, and docs/metrics.md is made from it.

interface Declared {
  /** The whole name, so that it can be searched for. */
  readonly name: `tailwater_${string}`;
  /** What it says, as a sentence without its full stop. */
  readonly help: string;
  /** Labels whose values are few. */
  readonly labels?: readonly string[];
}

export type MetricDeclaration = Declared &
  ({ readonly kind: 'counter' | 'gauge' } | { readonly kind: 'histogram'; readonly buckets: readonly number[] });

/** By a name for use in the code. */
export type MetricTable = Readonly<Record<string, MetricDeclaration>>;

/** The keys of those of a table that are of one kind. */
export type MetricsOf<Table extends MetricTable, Kind extends MetricDeclaration['kind']> = {
  [Key in keyof Table]: Table[Key]['kind'] extends Kind ? Key : never;
}[keyof Table];

/** The page docs/metrics.md. */
export function renderMetricReference(tables: Readonly<Record<string, MetricTable>>): string {
  const sections = Object.entries(tables).map(([process, table]) => {
    const rows = Object.values(table).map(({ name, kind, help, labels = [] }) => {
      const label = labels.length === 0 ? '' : `{${labels.join(', ')}}`;
      return `| \`${name}${label}\` | ${kind} | ${help.replaceAll('|', '\\|')} |`;
    });
    return `## ${process}\n\n| name | kind | what it says |\n|---|---|---|\n${rows.join('\n')}\n`;
  });
  return `${HEAD}\n${sections.join('\n')}`;
}

const HEAD = `# Metrics

Each process answers \`GET /metrics\` with these, in Prometheus' text format, or in OpenMetrics for whoever asks for \`application/openmetrics-text\`, and with the
usual \`process_*\` and \`nodejs_*\`: memory, CPU, \`nodejs_eventloop_lag_*_seconds\` and \`nodejs_gc_duration_seconds\`. Every number of a producer has the label \`prefix\`,
every number of a consumer \`group\` and \`target\`. A number that is not known is absent; none is NaN.
Which of them are worth an alert is told in [operations](03-operations.md#metrics).

<!-- Made from the tables in packages/*/src/metrics/metric-table.ts by test/unit/docs/metrics.test.ts (run it with -u). -->
`;
