// How a Solr is asked for.
import type { Artifacts } from '../artifacts/artifacts.js';

export interface SolrOptions {
  /** A single server with cores by default; `cloud` has collections, and a ZooKeeper inside. */
  readonly mode?: 'standalone' | 'cloud';
  /** A free port by default. */
  readonly port?: number;
  /** A folder with solrconfig.xml and a managed-schema.xml, for cores and collections; by default the package's own. */
  readonly configset?: string;
  /** JVM heap in megabytes; 768 by default. */
  readonly heapMb?: number;
  readonly artifacts?: Artifacts;
}
