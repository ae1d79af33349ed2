// Which Java runs what: servers differ in the releases they need.
import { access, readdir, readFile, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MissingPrerequisiteError } from '../errors.js';

/** A Java Development Kit: it has a compiler. */
export interface Jdk {
  readonly home: string;
  /** 17, 21, 25 */
  readonly major: number;
}

export interface JavaLocations {
  readonly env: NodeJS.ProcessEnv;
  /** Folders that hold installed JDKs, one folder each. */
  readonly roots: readonly string[];
}

const DEFAULT_ROOTS = ['/usr/lib/jvm', '/usr/java', '/opt/java', '/Library/Java/JavaVirtualMachines'];

/**
 * A JDK of at least release `minMajor`: JAVA_HOME when that one will do, otherwise the oldest that will, of
 * `JAVA<release>_HOME`, `java` on PATH and the usual folders. The oldest, because a server is tried on the release it asks for.
 *
 * @throws {MissingPrerequisiteError} when there is none
 */
export async function findJdk(minMajor: number, locations: JavaLocations = { env: process.env, roots: DEFAULT_ROOTS }): Promise<Jdk> {
  const { env, roots } = locations;
  const preferred = env['JAVA_HOME'] === undefined ? undefined : await readJdk(env['JAVA_HOME']);
  if (preferred !== undefined && preferred.major >= minMajor) return preferred;
  const homes = [...homesOfVariables(env), ...(await homesOnPath(env)), ...(await homesUnder(roots))];
  const jdks = (await Promise.all(homes.map(readJdk))).filter((jdk) => jdk !== undefined && jdk.major >= minMajor) as Jdk[];
  const oldest = jdks.sort((a, b) => a.major - b.major)[0];
  if (oldest !== undefined) return oldest;
  throw new MissingPrerequisiteError(
    `No Java ${minMajor} or newer with javac was found: install a JDK (Debian: apt-get install openjdk-${minMajor}-jdk-headless) and set JAVA_HOME, or JAVA${minMajor}_HOME`,
  );
}

/** Whether `findJdk` finds one. */
export async function hasJdk(minMajor: number): Promise<boolean> {
  return findJdk(minMajor).then(
    () => true,
    () => false,
  );
}

// Every JDK since 9 has a file `release` with its version: reading it is faster than starting a JVM.
async function readJdk(home: string): Promise<Jdk | undefined> {
  try {
    await access(join(home, 'bin', 'javac'));
    const version = /^JAVA_VERSION="(\d+)/m.exec(await readFile(join(home, 'release'), 'utf8'));
    return version === null ? undefined : { home, major: Number(version[1]) };
  } catch {
    return undefined;
  }
}

function homesOfVariables(env: NodeJS.ProcessEnv): string[] {
  return Object.keys(env).flatMap((name) => (/^JAVA_?\d+_HOME$/.test(name) ? [env[name] as string] : []));
}

async function homesOnPath(env: NodeJS.ProcessEnv): Promise<string[]> {
  const folders = (env['PATH'] ?? '').split(':').filter((folder) => folder !== '');
  const found = await Promise.all(folders.map((folder) => realpath(join(folder, 'javac')).catch(() => undefined)));
  return found.flatMap((path) => (path === undefined ? [] : [dirname(dirname(path))]));
}

async function homesUnder(roots: readonly string[]): Promise<string[]> {
  const names = await Promise.all(roots.map(async (root) => (await readdir(root).catch(() => [])).map((name) => join(root, name))));
  return names.flat().flatMap((home) => [home, join(home, 'Contents', 'Home')]);
}
