import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cache } from '#devstack/artifacts/cache.js';
import { findMongod } from '#devstack/artifacts/mongod.js';
import { MissingPrerequisiteError } from '#devstack/errors.js';

describe('findMongod', () => {
  let directory: string;
  let mongod: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mongod-'));
    mongod = join(directory, 'mongod');
    await writeFile(mongod, '');
    await chmod(mongod, 0o755);
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('takes MONGOD_BINARY first, then PATH', async () => {
    const cache = new Cache({ directory });
    expect(await findMongod(cache, { MONGOD_BINARY: mongod, PATH: '/nowhere' })).toBe(mongod);
    expect(await findMongod(cache, { PATH: `/nowhere:${directory}` })).toBe(mongod);
  });

  it('does not look further when MONGOD_BINARY is wrong', async () => {
    const finding = findMongod(new Cache({ directory }), { MONGOD_BINARY: '/nowhere/mongod', PATH: directory });
    await expect(finding).rejects.toThrow(MissingPrerequisiteError);
    await expect(finding).rejects.toThrow('MONGOD_BINARY is /nowhere/mongod, which is not an executable file: correct it or unset it');
  });
});
