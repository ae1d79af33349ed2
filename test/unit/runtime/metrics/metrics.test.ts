import { createMetrics } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('createMetrics', () => {
  it('renders counters, gauges and histograms in Prometheus’ format', async () => {
    const metrics = createMetrics();
    metrics.counter({ name: 'tailwater_test_events_read_total', help: 'Events', labels: ['namespace'] }).inc({ namespace: 'a.b' }, 3);
    metrics.gauge({ name: 'tailwater_test_lag_seconds', help: 'Lag' }).set(1.5);
    metrics.histogram({ name: 'tailwater_test_batch_seconds', help: 'Batch', buckets: [1, 5] }).observe(2);
    const text = await metrics.render();
    expect(text).toContain('# TYPE tailwater_test_events_read_total counter\ntailwater_test_events_read_total{namespace="a.b"} 3\n');
    expect(text).toContain('tailwater_test_lag_seconds 1.5\n');
    expect(text).toContain('tailwater_test_batch_seconds_bucket{le="5"} 1\n');
    expect(metrics.contentType).toContain('text/plain');
  });

  it('knows the process: memory, CPU and event loop lag', async () => {
    const text = await createMetrics().render();
    for (const name of ['process_resident_memory_bytes', 'process_cpu_seconds_total', 'nodejs_eventloop_lag_p99_seconds'])
      expect(text).toContain(`\n${name} `);
  });

  it('asks a collecting gauge when it is read', async () => {
    const metrics = createMetrics();
    let size = 1;
    metrics.gauge({ name: 'tailwater_test_queue_records', help: 'Queue', collect: (gauge) => gauge.set(size) });
    size = 7;
    expect(await metrics.render()).toContain('tailwater_test_queue_records 7\n');
  });

  it('gives the same metric for the same name, and two registries share nothing', async () => {
    const metrics = createMetrics();
    const options = { name: 'tailwater_test_things_total', help: 'Things' } as const;
    expect(metrics.counter(options)).toBe(metrics.counter(options));
    metrics.counter(options).inc();
    expect(await createMetrics().render()).not.toContain('tailwater_test_things_total');
  });

  it('refuses names that break the pattern', () => {
    const metrics = createMetrics();
    expect(() => metrics.counter({ name: 'tailwater_test_things', help: '' })).toThrow('_total');
    expect(() => metrics.gauge({ name: 'tailwater_Bad-name', help: '' })).toThrow('metric name');
    metrics.gauge({ name: 'tailwater_test_x_total', help: 'x' });
    expect(() => metrics.counter({ name: 'tailwater_test_x_total', help: 'x' })).toThrow('another kind');
  });
});
