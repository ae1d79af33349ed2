// Everything that the servers are made of, fetched when it is first asked for.
import { join } from 'node:path';
import { Cache, type CacheOptions } from './cache.js';
import { compileLauncher, fetchJars, type JarSet } from './jars.js';
import { findJdk, type Jdk } from './java.js';
import { findMongod } from './mongod.js';

/** What `java` needs to run a server. */
export interface JavaProgram {
  /** The path of `java`. */
  readonly java: string;
  readonly classPath: string;
  readonly version: string;
}

/** The major release of Elasticsearch. */
export type ElasticsearchMajor = 8 | 9;

export const KAFKA: JarSet = { name: 'kafka', version: '4.4.0', assets: 'kafka' };

export const ELASTICSEARCH: Record<ElasticsearchMajor, JarSet & { readonly java: number }> = {
  8: { name: 'elasticsearch', version: '8.19.21', assets: 'elasticsearch-8', java: 17 },
  9: { name: 'elasticsearch', version: '9.5.3', assets: 'elasticsearch-9', java: 21 },
};
export const APICURIO: JarSet & { readonly java: number } = {
  name: 'apicurio',
  version: '3.3.3',
  assets: 'apicurio',
  isArchive: true,
  java: 21,
};
export const SOLR: JarSet = { name: 'solr', version: '9.10.1', assets: 'solr' };

export class Artifacts {
  readonly #cache: Cache;

  constructor(options: CacheOptions = {}) {
    this.#cache = new Cache(options);
  }

  /** The cache folder. */
  get directory(): string {
    return this.#cache.directory;
  }

  /** The path of a mongod. @throws as `findMongod` does */
  mongod(): Promise<string> {
    return findMongod(this.#cache);
  }

  /** A Kafka broker; its main class is `kafka.Kafka`. @throws as `findJdk` and `fetchJars` do */
  async kafka(): Promise<JavaProgram> {
    const jdk = await findJdk(17);
    return program(jdk, KAFKA.version, [await fetchJars(this.#cache, jdk, KAFKA)]);
  }

  /** An Elasticsearch node; its main class is `org.elasticsearch.node.SingleNode`. Release 9 needs Java 21. @throws as `kafka` */
  async elasticsearch(major: ElasticsearchMajor): Promise<JavaProgram> {
    const { java, ...set } = ELASTICSEARCH[major];
    return this.#launched(set, 'elasticsearch/java', java);
  }

  /** A Solr server; its main class is `tailwater.devstack.SolrServer`. @throws as `kafka` */
  solr(): Promise<JavaProgram> {
    return this.#launched(SOLR, 'solr/java', 17);
  }

  /** A schema registry; its main class is `io.quarkus.bootstrap.runner.QuarkusEntryPoint`. Needs Java 21. @throws as `kafka` */
  async apicurio(): Promise<JavaProgram> {
    const { java, ...set } = APICURIO;
    const jdk = await findJdk(java);
    const folder = await fetchJars(this.#cache, jdk, set);
    return { java: join(jdk.home, 'bin', 'java'), classPath: join(folder, 'quarkus-run.jar'), version: set.version };
  }

  async #launched(set: JarSet, sources: string, release: number): Promise<JavaProgram> {
    const jdk = await findJdk(release);
    const jars = await fetchJars(this.#cache, jdk, set);
    const name = `${set.name}-${set.version}`;
    return program(jdk, set.version, [jars], [await compileLauncher(this.#cache, jdk, { name, sources, jars, release })]);
  }
}

function program(jdk: Jdk, version: string, jars: readonly string[], classes: readonly string[] = []): JavaProgram {
  return { java: join(jdk.home, 'bin', 'java'), classPath: [...classes, ...jars.map((folder) => join(folder, '*'))].join(':'), version };
}
