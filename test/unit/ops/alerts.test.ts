// The alerts and the dashboard name only metrics that there are, and each alert fires on what it is for, and has its section in the runbook.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createMetrics } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { CONSUMER_METRICS } from '#consumer/metrics/metric-table.js';
import { headingsOf, PROJECT } from '#devstack/docs/markdown.js';
import { PRODUCER_METRICS } from '#producer/metrics/metric-table.js';
import { findPromtool, promtool } from '#test/support/promtool.js';

const read = (...path: string[]): string => readFileSync(join(PROJECT, ...path), 'utf8');
const rules = read('ops/prometheus/alerts.yml');
const tests = read('ops/prometheus/alerts.test.yml');
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name as string);
const tool = await findPromtool();

/** Every expression of a dashboard's panels and variables. */
function expressionsOf(dashboard: unknown): string[] {
  if (Array.isArray(dashboard)) return dashboard.flatMap(expressionsOf);
  if (typeof dashboard !== 'object' || dashboard === null) return [];
  const own = Object.entries(dashboard).flatMap(([key, value]) =>
    (key === 'expr' || key === 'query') && typeof value === 'string' ? [value] : [],
  );
  return [...own, ...Object.values(dashboard).flatMap(expressionsOf)];
}

async function known(): Promise<ReadonlySet<string>> {
  const { text } = await createMetrics().render();
  const own = [...Object.values(PRODUCER_METRICS), ...Object.values(CONSUMER_METRICS)];
  const parts = own.flatMap(({ name, kind }) =>
    kind === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => `${name}${part}`) : [name],
  );
  const ofNode = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name, kind]) =>
    kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name as string],
  );
  return new Set([...parts, ...ofNode]);
}

const namesIn = (text: string): string[] => text.match(/\b(?:tailwater|nodejs|process)_\w+/g) ?? [];

describe('metrics that are named', () => {
  it('by alerts and their tests exist', async () => {
    const there = await known();
    expect([...namesIn(rules), ...namesIn(tests)].filter((name) => !there.has(name))).toEqual([]);
  });

  it.each(readdirSync(join(PROJECT, 'ops/grafana/dashboards')))('by the dashboard %s exist', async (name) => {
    const there = await known();
    const expressions = expressionsOf(JSON.parse(read('ops/grafana/dashboards', name)));
    expect(expressions.length).toBeGreaterThan(30);
    expect(expressions.flatMap(namesIn).filter((metric) => !there.has(metric))).toEqual([]);
  });
});

describe('an alert', () => {
  it('has its section in the runbook, and every section of an alert has one', () => {
    const sections = headingsOf(read('docs/runbook.md')).map(({ anchor }) => anchor);
    const links = [...rules.matchAll(/runbook_url: \S+\/docs\/runbook\.md#(\w+)/g)].map(([, anchor]) => anchor);
    expect(links).toEqual(alerts.map((name) => name.toLowerCase()));
    expect(sections.filter((anchor) => anchor.startsWith('tailwater')).sort()).toEqual([...links].sort());
  });

  it('is named as all are', () => expect(alerts.filter((name) => !/^Tailwater[A-Z]/.test(name))).toEqual([]));

  it.skipIf(tool === undefined)('fires on what it is for, and not while all is well', { timeout: 120_000 }, async () => {
    expect(await promtool(tool as string, 'check', 'rules', join(PROJECT, 'ops/prometheus/alerts.yml'))).toContain(
      `${alerts.length} rules found`,
    );
    await promtool(tool as string, 'test', 'rules', join(PROJECT, 'ops/prometheus/alerts.test.yml'));
    for (const name of alerts) expect(tests).toContain(`- name: ${name}\n`);
  });
});
