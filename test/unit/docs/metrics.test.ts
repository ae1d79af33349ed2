import { renderMetricReference } from '@tailwater/runtime';
import { expect, it } from 'vitest';
import { CONSUMER_METRICS } from '#consumer/metrics/metric-table.js';
import { PRODUCER_METRICS } from '#producer/metrics/metric-table.js';

it('docs/metrics.md is what the tables say', async () => {
  const page = renderMetricReference({ Producer: PRODUCER_METRICS, Consumer: CONSUMER_METRICS });
  await expect(page).toMatchFileSnapshot('../../../docs/metrics.md');
});
