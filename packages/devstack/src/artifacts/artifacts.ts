// Everything that the servers are made of, fetched when it is first asked for.
import { join } from 'node:path';
import { Cache, type CacheOptions } from './cache.js';
import { fetchJars, type JarSet } from './jars.js';
import { findJdk, type Jdk } from './java.js';
import { findMongod } from './mongod.js';

/** What `java` needs to run a server. */
export interface JavaProgram {
  /** The path of `java`. */
  readonly java: string;
  readonly classPath: string;
  readonly version: string;
}

const KAFKA: JarSet = { name: 'kafka', version: '4.4.0', assets: 'kafka' };

export class Artifacts {
  readonly #cache: Cache;

  constructor(options: CacheOptions = {}) {
    this.#cache = new Cache(options);
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
}

function program(jdk: Jdk, version: string, jars: readonly string[], classes: readonly string[] = []): JavaProgram {
  return { java: join(jdk.home, 'bin', 'java'), classPath: [...classes, ...jars.map((folder) => join(folder, '*'))].join(':'), version };
}
