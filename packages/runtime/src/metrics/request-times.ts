// How long servers took for what they were asked. Clients are made before there are metrics, and commands have none: until somebody takes the times they are let go of.
import { performance } from 'node:perf_hooks';
import type { MetricDeclaration } from './metric-table.js';
import { type Histogram, LATENCY_BUCKETS_SECONDS, type Metrics } from './metrics.js';

/** The same in each process. */
export const KAFKA_REQUEST_SECONDS = {
  kind: 'histogram',
  name: 'tailwater_kafka_request_seconds',
  help: 'Seconds until a broker answered, by kind of request; a Fetch waits for records, JoinGroup and SyncGroup for other members',
  labels: ['request'],
  buckets: LATENCY_BUCKETS_SECONDS,
} as const satisfies MetricDeclaration;

export class RequestTimes {
  #histogram: Histogram<'request'> | undefined;

  /** From now on they are told to this histogram. */
  register(metrics: Metrics, declaration: Extract<MetricDeclaration, { kind: 'histogram' }>): void {
    const { name, help, buckets } = declaration;
    this.#histogram = metrics.histogram({ name, help, buckets, labels: ['request'] });
  }

  answered(request: string, seconds: number): void {
    this.#histogram?.observe({ request }, seconds);
  }

  /** Times what is answered; what fails has its own outcome, and is told elsewhere. */
  async of<T>(request: string, work: () => Promise<T>): Promise<T> {
    const beganMs = performance.now();
    const answer = await work();
    this.answered(request, (performance.now() - beganMs) / 1000);
    return answer;
  }
}
