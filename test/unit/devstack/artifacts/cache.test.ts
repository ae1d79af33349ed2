import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Cache, type CacheEntry } from '#devstack/artifacts/cache.js';

describe('Cache', () => {
  let directory: string;
  let lines: string[];
  let cache: Cache;
  let made: number;

  const entry: CacheEntry = {
    name: 'thing-1.0',
    label: 'thing 1.0',
    verb: 'fetch',
    make: async (folder) => {
      made++;
      await writeFile(join(folder, 'thing.jar'), 'x'.repeat(2_000_000));
    },
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cache-'));
    lines = [];
    made = 0;
    cache = new Cache({ directory, progress: (line) => lines.push(line) });
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('makes an entry once, and says how much it was', async () => {
    const path = await cache.entry(entry);
    expect(await cache.entry(entry)).toBe(path);
    expect(made).toBe(1);
    expect(lines).toEqual(['fetching thing 1.0 ...', 'fetched thing 1.0: 1 file, 2 MB, 0 s']);
    expect(await readdir(directory)).toEqual(['thing-1.0']);
  });

  it('lets one of several make it while the others wait', async () => {
    const other = new Cache({ directory, progress: (line) => lines.push(line) });
    const paths = await Promise.all([cache.entry(entry), other.entry(entry), cache.entry(entry)]);
    expect(new Set(paths).size).toBe(1);
    expect(made).toBe(1);
  });

  it('keeps nothing of an entry that could not be made', async () => {
    const failing = { ...entry, make: () => Promise.reject(new Error('connection reset')) };
    await expect(cache.entry(failing)).rejects.toThrow('connection reset');
    expect(await readdir(directory)).toEqual([]);
    await cache.entry(entry);
    expect(made).toBe(1);
  });

  it('takes over from a process that died in the middle', async () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']); // has ended
    await writeFile(join(directory, 'thing-1.0.lock'), String(pid));
    await mkdir(join(directory, `thing-1.0.partial-${pid}`));
    await cache.entry(entry);
    expect(await readdir(directory)).toEqual(['thing-1.0']);
  });

  it('makes an entry again that lost its marker', async () => {
    const path = await cache.entry(entry);
    await rm(join(path, 'complete'));
    await writeFile(join(path, 'thing.jar'), 'half');
    await cache.entry(entry);
    expect(made).toBe(2);
    expect((await readFile(join(path, 'thing.jar'))).length).toBe(2_000_000);
    expect(existsSync(join(path, 'complete'))).toBe(true);
  });
});
