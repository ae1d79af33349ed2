import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { logTail } from '#devstack/support/log-tail.js';

describe('logTail', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'log-tail-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('returns the last lines of a long log', async () => {
    const path = join(directory, 'long.log');
    await writeFile(path, Array.from({ length: 5000 }, (_, line) => `line ${line}\n`).join(''));
    expect(await logTail(path, 3)).toBe('line 4997\nline 4998\nline 4999');
  });

  it('says that a log is empty or missing', async () => {
    const path = join(directory, 'empty.log');
    await writeFile(path, '');
    expect(await logTail(path)).toBe('(the log is empty)');
    expect(await logTail(join(directory, 'none.log'))).toMatch(/^\(no log: ENOENT/);
  });
});
