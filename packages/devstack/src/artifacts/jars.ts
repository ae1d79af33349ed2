// A server's class path: jars that Maven resolves from a pom of this package, and launcher classes compiled from its sources.
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Cache } from './cache.js';
import { shortDigest, verifyChecksums } from './checksums.js';
import type { Jdk } from './java.js';
import { runTool } from './tool.js';

/** Files that the package ships beside its code. */
export const ASSETS = fileURLToPath(new URL('../../assets', import.meta.url));

const COPY_DEPENDENCIES = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';

export interface JarSet {
  /** `kafka`, for people and for the folder's name. */
  readonly name: string;
  readonly version: string;
  /** The folder under assets/ with pom.xml and jars.sha256. */
  readonly assets: string;
  /** The one file is an archive, whose content is what is wanted. */
  readonly isArchive?: boolean;
}

/**
 * The folder of the jars, downloaded at the first call.
 *
 * @throws {ChecksumError} when a jar is not the pinned one
 * @throws {MissingPrerequisiteError} when Maven is not installed
 */
export async function fetchJars(cache: Cache, jdk: Jdk, set: JarSet): Promise<string> {
  const checksums = join(ASSETS, set.assets, 'jars.sha256');
  return cache.entry({
    name: `${set.name}-${set.version}-${shortDigest(await readFile(checksums, 'utf8'))}`,
    label: `${set.name} ${set.version}`,
    verb: 'fetch',
    make: async (directory) => {
      const args = ['-q', '-B', '-ntp', '-f', join(ASSETS, set.assets, 'pom.xml'), COPY_DEPENDENCIES, '-DincludeScope=runtime'];
      await runTool('mvn', [...args, `-DoutputDirectory=${directory}`], {
        install: 'install Maven 3.6 or newer (Debian: apt-get install maven)',
        env: { JAVA_HOME: jdk.home },
      });
      await verifyChecksums(directory, checksums);
      if (set.isArchive === true) await unpack(directory);
    },
  });
}

/** Puts the content of the folder's one archive in its place. */
async function unpack(directory: string): Promise<void> {
  const [name = ''] = await readdir(directory);
  const archive = join(directory, name);
  await runTool('tar', ['-xzf', archive, '-C', directory], { install: 'install tar' });
  await rm(archive);
}

/** The folder of launcher classes, compiled against `jars` at the first call and again when a source changes. */
export async function compileLauncher(
  cache: Cache,
  jdk: Jdk,
  options: { name: string; sources: string; jars: string; release: number },
): Promise<string> {
  const root = join(ASSETS, options.sources);
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.java')).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(root, file), 'utf8')));
  return cache.entry({
    name: `${options.name}-launcher-${shortDigest(options.jars, String(options.release), ...texts)}`,
    label: `the launcher of ${options.name}`,
    verb: 'compile',
    make: async (directory) => {
      const args = ['-nowarn', '-proc:none', '--release', String(options.release), '-d', directory, '-cp', join(options.jars, '*')];
      await runTool(join(jdk.home, 'bin', 'javac'), [...args, ...files.map((file) => join(root, file))], { install: 'install a JDK' });
    },
  });
}
