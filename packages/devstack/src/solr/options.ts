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
  /** Turns access control on: a password is needed, and each user may do what is listed, `admin` everything. */
  readonly auth?: SolrAuth;
  /** Speaks HTTPS alone. Not in the cloud, whose nodes would have to trust each other. */
  readonly tls?: SolrTls;
  readonly artifacts?: Artifacts;
}

export interface SolrTls {
  /** A PKCS #12 file with certificate and key. */
  readonly keyStore: string;
  readonly password: string;
  /** PEM file of the CA, for the devstack's own requests. */
  readonly ca: string;
}

export interface SolrUser {
  readonly name: string;
  readonly password: string;
}

export interface SolrAuth {
  /** Who starts Solr, and whom the devstack itself is. */
  readonly admin: SolrUser;
  /** With the names of Solr's predefined permissions: `update`, `schema-read`. */
  readonly users: readonly (SolrUser & { readonly permissions: readonly string[] })[];
}
