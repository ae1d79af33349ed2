// The process's numbers, in a registry of their own. Names follow Prometheus and Vector: `tailwater_<what>_<unit>_total`.
// https://prometheus.io/docs/practices/naming/
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { asksForOpenMetrics, OPEN_METRICS_TYPE, toOpenMetrics } from './open-metrics.js';

export type { Counter, Gauge, Histogram } from 'prom-client';

export interface MetricOptions<Label extends string> {
  /** The whole name, so that it can be searched for: `tailwater_producer_events_read_total`. */
  readonly name: `tailwater_${string}`;
  readonly help: string;
  /** Labels whose values are few: a namespace, a reason; never an id. */
  readonly labels?: readonly Label[];
}

interface CounterOptions<Label extends string> extends MetricOptions<Label> {
  /** Brings the counter up to date when it is read. */
  readonly collect?: (counter: Counter<Label>) => void;
}

export interface GaugeOptions<Label extends string> extends MetricOptions<Label> {
  /** Sets the gauge when it is read, for values that are kept elsewhere. */
  readonly collect?: (gauge: Gauge<Label>) => void | Promise<void>;
}

export interface HistogramOptions<Label extends string> extends MetricOptions<Label> {
  /** Upper bounds, ascending, in the unit of the name. */
  readonly buckets: readonly number[];
}

/** Each maker gives the same metric for the same name, so parts that start again need not know. */
export interface Metrics {
  /** Something that only grows; the name ends in `_total`. */
  counter<Label extends string = never>(options: CounterOptions<Label>): Counter<Label>;
  gauge<Label extends string = never>(options: GaugeOptions<Label>): Gauge<Label>;
  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label>;
  /**
   * Everything in Prometheus' text format, or in OpenMetrics where the Accept header asks for it. What is not a number is left out: it is not known.
   */
  render(accept?: string): Promise<RenderedMetrics>;
}

interface RenderedMetrics {
  readonly contentType: string;
  readonly text: string;
}

const NAME = /^tailwater_[a-z][a-z0-9]*(_[a-z0-9]+)*$/;

/** Seconds from a millisecond to a minute, for histograms of latencies. */
export const LATENCY_BUCKETS_SECONDS: readonly number[] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

/** Samples without a value: a mean of nothing, for one. */
const NO_NUMBER = /^[^#\n].* NaN\n/gm;

/**
 * An empty registry, but for the process's own numbers: CPU, memory (RSS, heap), event loop lag, garbage collection.
 *
 * @param labels - of every number, to tell the processes of one kind apart
 */
export function createMetrics(labels: Readonly<Record<string, string>> = {}): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  collectDefaultMetrics({ register: registry });
  // Between two readings that follow at once nothing is measured, and the least of nothing is told as 292 years.
  registry.removeSingleMetric('nodejs_eventloop_lag_min_seconds');
  return new RegistryMetrics(registry);
}

class RegistryMetrics implements Metrics {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  async render(accept?: string): Promise<RenderedMetrics> {
    const text = (await this.#registry.metrics()).replace(NO_NUMBER, '');
    if (asksForOpenMetrics(accept)) return { contentType: OPEN_METRICS_TYPE, text: toOpenMetrics(text) };
    return { contentType: this.#registry.contentType, text };
  }

  counter<Label extends string = never>(options: CounterOptions<Label>): Counter<Label> {
    if (!options.name.endsWith('_total')) throw new Error(`The counter ${options.name} must end in _total`);
    const { collect } = options;
    return this.#once(options.name, Counter<Label>, () => {
      const counter: Counter<Label> = new Counter<Label>({
        ...this.#configuration(options),
        ...(collect === undefined ? {} : { collect: () => collect(counter) }),
      });
      return counter;
    });
  }

  gauge<Label extends string = never>(options: GaugeOptions<Label>): Gauge<Label> {
    const { collect } = options;
    return this.#once(options.name, Gauge<Label>, () => {
      const gauge: Gauge<Label> = new Gauge<Label>({
        ...this.#configuration(options),
        ...(collect === undefined ? {} : { collect: () => collect(gauge) }),
      });
      return gauge;
    });
  }

  histogram<Label extends string = never>(options: HistogramOptions<Label>): Histogram<Label> {
    const { buckets } = options;
    return this.#once(options.name, Histogram<Label>, () => new Histogram({ ...this.#configuration(options), buckets: [...buckets] }));
  }

  #configuration<Label extends string>({ name, help, labels = [] }: MetricOptions<Label>) {
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }

  #once<Kind extends object>(name: string, kind: new (...args: never[]) => Kind, make: () => Kind): Kind {
    if (!NAME.test(name)) throw new Error(`${name} is no metric name: tailwater_, then lower-case words joined by _`);
    const existing: unknown = this.#registry.getSingleMetric(name);
    if (existing === undefined) return make();
    if (existing instanceof kind) return existing;
    throw new Error(`${name} already names a metric of another kind`);
  }
}
