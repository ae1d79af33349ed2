import { createMetrics } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('createMetrics', () => {
  it('renders counters, gauges and histograms in Prometheus’ format', async () => {
    const metrics = createMetrics();
    metrics.counter({ name: 'tailwater_test_events_read_total', help: 'Events', labels: ['namespace'] }).inc({ namespace: 'a.b' }, 3);
    metrics.gauge({ name: 'tailwater_test_lag_seconds', help: 'Lag' }).set(1.5);
    metrics.histogram({ name: 'tailwater_test_batch_seconds', help: 'Batch', buckets: [1, 5] }).observe(2);
    const { contentType, text } = await metrics.render();
    expect(text).toContain('# TYPE tailwater_test_events_read_total counter\ntailwater_test_events_read_total{namespace="a.b"} 3\n');
    expect(text).toContain('tailwater_test_lag_seconds 1.5\n');
    expect(text).toContain('tailwater_test_batch_seconds_bucket{le="5"} 1\n');
    expect(contentType).toContain('text/plain');
  });

  it('knows the process: memory, CPU, event loop lag and garbage collection', async () => {
    const { text } = await createMetrics().render();
    for (const name of [
      'process_resident_memory_bytes',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_gc_duration_seconds',
    ])
      expect(text).toContain(`\n# TYPE ${name} `);
  });

  it('asks a collecting gauge when it is read', async () => {
    const metrics = createMetrics();
    let size = 1;
    metrics.gauge({ name: 'tailwater_test_queue_records', help: 'Queue', collect: (gauge) => gauge.set(size) });
    size = 7;
    expect((await metrics.render()).text).toContain('tailwater_test_queue_records 7\n');
  });

  it('gives the same metric for the same name, and two registries share nothing', async () => {
    const metrics = createMetrics();
    const options = { name: 'tailwater_test_things_total', help: 'Things' } as const;
    expect(metrics.counter(options)).toBe(metrics.counter(options));
    metrics.counter(options).inc();
    expect((await createMetrics().render()).text).not.toContain('tailwater_test_things_total');
  });

  it('says what is not known by leaving it out: nothing is NaN, however soon it is read again', async () => {
    const metrics = createMetrics();
    metrics.gauge({ name: 'tailwater_test_eta_seconds', help: 'x' }).set(Number.NaN);
    await metrics.render();
    const { text } = await metrics.render();
    expect(text).not.toContain('NaN');
    expect(text).not.toMatch(/ 9223372036/);
    expect(text).toContain('# TYPE tailwater_test_eta_seconds gauge\n');
  });

  it('gives every number the labels of the process', async () => {
    const metrics = createMetrics({ group: 'tw.es' });
    metrics.counter({ name: 'tailwater_test_read_total', help: 'x', labels: ['kind'] }).inc({ kind: 'a' });
    const { text } = await metrics.render();
    expect(text).toContain('tailwater_test_read_total{kind="a",group="tw.es"} 1');
    expect(text).toMatch(/process_cpu_seconds_total\{group="tw.es"\}/);
  });

  it('renders OpenMetrics for whoever asks for it, and goes on in Prometheus’ format', async () => {
    const metrics = createMetrics();
    metrics.counter({ name: 'tailwater_test_read_total', help: 'Things "read"' }).inc(2);
    metrics.histogram({ name: 'tailwater_test_batch_seconds', help: 'Batch', buckets: [0.5, 1, 10] }).observe(2);
    const accept = 'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;q=0.5';
    const { contentType, text } = await metrics.render(accept);
    expect(contentType).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
    expect(text).toContain(
      '# HELP tailwater_test_read Things \\"read\\"\n# TYPE tailwater_test_read counter\ntailwater_test_read_total 2\n',
    );
    expect(text).toContain('tailwater_test_batch_seconds_bucket{le="0.5"} 0\ntailwater_test_batch_seconds_bucket{le="1.0"} 0\n');
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(text).not.toContain('\n\n');
    // A gauge keeps its name, whatever that ends with.
    expect(text).toContain('# TYPE nodejs_active_handles_total gauge\n');
    expect((await metrics.render('text/plain')).text).toContain('# TYPE tailwater_test_read_total counter\n');
  });

  it('refuses names that break the pattern', () => {
    const metrics = createMetrics();
    expect(() => metrics.counter({ name: 'tailwater_test_things', help: '' })).toThrow('_total');
    expect(() => metrics.gauge({ name: 'tailwater_Bad-name', help: '' })).toThrow('metric name');
    metrics.gauge({ name: 'tailwater_test_x_total', help: 'x' });
    expect(() => metrics.counter({ name: 'tailwater_test_x_total', help: 'x' })).toThrow('another kind');
  });
});
