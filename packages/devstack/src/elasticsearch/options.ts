// How an Elasticsearch node is asked for.
import type { Artifacts, ElasticsearchMajor } from '../artifacts/artifacts.js';

/** Settings as in elasticsearch.yml, flat: `thread_pool.write.size`. */
export type ElasticsearchSettings = Readonly<Record<string, string | number | boolean>>;

export interface ElasticsearchOptions {
  /** 8 by default; 9 needs Java 21 or newer. */
  readonly version?: ElasticsearchMajor;
  /** A free port by default. */
  readonly port?: number;
  /** Replace or add to the node's own. */
  readonly settings?: ElasticsearchSettings;
  /** JVM heap in megabytes; 1024 by default. */
  readonly heapMb?: number;
  readonly artifacts?: Artifacts;
}

/** What a single node on a developer's machine needs. */
export function nodeSettings(port: number): ElasticsearchSettings {
  return {
    'cluster.name': 'devstack',
    'node.name': 'single',
    'discovery.type': 'single-node',
    'network.host': '127.0.0.1',
    'http.port': port,
    'http.type': 'netty4',
    'transport.port': 0, // any: no node joins
    'transport.type': 'netty4',
    // A full disk is the developer's business, and not a reason to make every index read-only.
    'cluster.routing.allocation.disk.threshold_enabled': false,
    // The breaker on real memory counts garbage that a serial collector has not collected yet: 429 without any pressure.
    'indices.breaker.total.use_real_memory': false,
    'logger.level': 'warn',
    'action.destructive_requires_name': false,
  };
}

/**
 * The three shapes in which Elasticsearch says "too much" (429):
 * - `items`: the request is a 200, and some of its items are `es_rejected_execution_exception`. Takes concurrent requests.
 * - `request`: the whole request is refused, because it would take the node over its indexing memory.
 * - `circuit-breaker`: the whole request is refused with `circuit_breaking_exception`.
 */
export type RejectionKind = 'items' | 'request' | 'circuit-breaker';

/** The settings that bring a kind about, so tight that requests of a few kilobytes are refused. */
export const REJECTION_SETTINGS: Readonly<Record<RejectionKind, ElasticsearchSettings>> = {
  items: { 'thread_pool.write.size': 1, 'thread_pool.write.queue_size': 1 },
  request: { 'indexing_pressure.memory.limit': '4kb' },
  // A bulk request that is read piece by piece, as release 9 does, is never in flight as a whole.
  'circuit-breaker': { 'network.breaker.inflight_requests.limit': '4kb', 'rest.incremental_bulk': false },
};
