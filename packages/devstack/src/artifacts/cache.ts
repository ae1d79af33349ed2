// The cache folder: what was downloaded or compiled once, so that every later start is instant and needs no network.
import { randomUUID } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { waitFor } from '../support/wait-for.js';

const MARKER = 'complete';
// Another process may be downloading over a slow line; it is given up only when it has died.
const LOCK_TIMEOUT_MS = 15 * 60_000;

export interface CacheOptions {
  /** The folder; by default `TAILWATER_CACHE`, or `~/.cache/tailwater`. */
  readonly directory?: string;
  /** Gets one line when something is being made and one when it is there; by default stderr does. */
  readonly progress?: (line: string) => void;
}

const VERBS = { fetch: ['fetching', 'fetched'], compile: ['compiling', 'compiled'] } as const;

export interface CacheEntry {
  /** The folder's name: says what and which version, and changes with everything that its content depends on. */
  readonly name: string;
  /** For people: `kafka 4.4.0`. */
  readonly label: string;
  readonly verb: keyof typeof VERBS;
  /** Fills an empty folder; whatever it throws leaves no entry behind. */
  readonly make: (directory: string) => Promise<void>;
}

export class Cache {
  readonly directory: string;
  readonly #progress: (line: string) => void;

  constructor(options: CacheOptions = {}) {
    this.directory = options.directory ?? process.env['TAILWATER_CACHE'] ?? join(homedir(), '.cache', 'tailwater');
    this.#progress = options.progress ?? ((line) => void process.stderr.write(`${line}\n`));
  }

  /**
   * The folder of an entry, made first if need be. Of several processes that want the same entry one makes it and the
   * others wait. It is made beside its place and renamed into it, so what is there is whole even after a power cut.
   */
  async entry(entry: CacheEntry): Promise<string> {
    const path = join(this.directory, entry.name);
    if (await exists(join(path, MARKER))) return path;
    await mkdir(this.directory, { recursive: true });
    const lock = `${path}.lock`;
    await waitFor(() => tryLock(lock), { describe: `${lock}, held by another process`, timeoutMs: LOCK_TIMEOUT_MS, intervalMs: 200 });
    try {
      if (!(await exists(join(path, MARKER)))) await this.#make(entry, path);
      return path;
    } finally {
      await rm(lock, { force: true });
    }
  }

  async #make(entry: CacheEntry, path: string): Promise<void> {
    const startedAt = performance.now();
    const [doing, done] = VERBS[entry.verb];
    await removeAbandoned(path);
    const partial = `${path}.partial-${process.pid}`;
    await mkdir(partial);
    this.#progress(`${doing} ${entry.label} ...`);
    try {
      await entry.make(partial);
      const { files, bytes } = await measure(partial);
      await writeFile(join(partial, MARKER), `${entry.label}\n`);
      await moveInto(partial, path);
      await removeAbandoned(path); // again: the tool of a killed process may have gone on writing
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      this.#progress(`${done} ${entry.label}: ${files} ${files === 1 ? 'file' : 'files'}, ${megabytes(bytes)} MB, ${seconds} s`);
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  }
}

// What processes that were killed while making this entry have left.
async function removeAbandoned(path: string): Promise<void> {
  const prefix = `${basename(path)}.partial-`;
  for (const name of await readdir(dirname(path))) {
    if (name.startsWith(prefix) && !isAlive(Number(name.slice(prefix.length)))) await rm(join(dirname(path), name), { recursive: true });
  }
}

// Two processes may take away the same dead lock and both make the entry: the first to rename wins, and both results are the same.
async function moveInto(partial: string, path: string): Promise<void> {
  try {
    await rename(partial, path);
  } catch (error) {
    if (await exists(join(path, MARKER))) return;
    if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await rm(path, { recursive: true, force: true });
    await rename(partial, path);
  }
}

// The lock file holds its owner's pid: the lock of a process that has died is taken away. It is written beside its place
// and linked to it, so that an empty one is never read.
async function tryLock(lock: string): Promise<boolean> {
  const own = `${lock}-${process.pid}-${randomUUID()}`;
  try {
    await writeFile(own, String(process.pid));
    await link(own, lock);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const owner = Number(await readFile(lock, 'utf8').catch(() => ''));
    if (owner > 0 && !isAlive(owner)) await rm(lock, { force: true });
    return false;
  } finally {
    await rm(own, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function measure(directory: string): Promise<{ files: number; bytes: number }> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size));
  return { files: files.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

function megabytes(bytes: number): string {
  const mb = bytes / 1_000_000;
  return mb < 1 ? mb.toFixed(2) : mb.toFixed(0);
}
