import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findJdk } from '#devstack/artifacts/java.js';
import { MissingPrerequisiteError } from '#devstack/errors.js';

describe('findJdk', () => {
  let root: string;
  const home = (name: string) => join(root, name);

  async function install(name: string, version: string, compiler = true): Promise<void> {
    await mkdir(join(home(name), 'bin'), { recursive: true });
    await writeFile(join(home(name), 'release'), `IMPLEMENTOR="x"\nJAVA_VERSION="${version}"\n`);
    if (compiler) await writeFile(join(home(name), 'bin', 'javac'), '');
  }

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'jdks-'));
    await install('jdk-11', '11.0.2');
    await install('jdk-17', '17.0.15');
    await install('jdk-25', '25');
    await install('jre-21', '21.0.1', false);
  });
  afterAll(() => rm(root, { recursive: true }));

  it('takes the oldest that will do', async () => {
    const locations = { env: {}, roots: [root] };
    expect(await findJdk(17, locations)).toEqual({ home: home('jdk-17'), major: 17 });
    expect(await findJdk(21, locations)).toEqual({ home: home('jdk-25'), major: 25 });
  });

  it('prefers JAVA_HOME when that one will do', async () => {
    const locations = { env: { JAVA_HOME: home('jdk-25') }, roots: [root] };
    expect((await findJdk(17, locations)).major).toBe(25);
    expect((await findJdk(17, { ...locations, env: { JAVA_HOME: home('jdk-11') } })).major).toBe(17);
  });

  it('looks at variables like JAVA21_HOME and at PATH', async () => {
    expect((await findJdk(21, { env: { JAVA21_HOME: home('jdk-25') }, roots: [] })).major).toBe(25);
    expect((await findJdk(17, { env: { PATH: `/nowhere:${join(home('jdk-17'), 'bin')}` }, roots: [] })).major).toBe(17);
  });

  it('says what to install, since a runtime without compiler is not enough', async () => {
    const finding = findJdk(21, { env: { JAVA_HOME: home('jre-21') }, roots: [] });
    await expect(finding).rejects.toThrow(MissingPrerequisiteError);
    await expect(finding).rejects.toThrow(/No Java 21 or newer with javac was found: install a JDK .* JAVA21_HOME/);
  });
});
