import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isModulePath, TailwaterError } from '@tailwater/runtime';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTarget } from '#consumer/targets/module/load-target.js';
import { change } from '#test/unit/consumer/support/changes.js';

const journal = fileURLToPath(new URL('../../../../fixtures/target/journal-target.mjs', import.meta.url));
const never = new AbortController().signal;
const settings = { url: '', connectTimeoutMs: 1000, requestTimeoutMs: 1000, options: {} };

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tailwater-own-target-'));
});
afterAll(() => rm(directory, { recursive: true }));

let modules = 0;
async function load(source: string) {
  const path = join(directory, `${++modules}.mjs`);
  await writeFile(path, source);
  return loadTarget(path, settings);
}
/** A whole target, but for what `members` says. */
const target = (members: string) => `export const createTarget = () => ({
  apiVersion: 1, kind: 'own', nameOf: String, async connect() {}, async close() {},
  async applyBatch(changes) { return changes.map(() => ({ status: 'applied' })); }, ${members} });`;

describe('isModulePath', () => {
  test.each(['./a.js', '../a', '/opt/a', 'a.mjs', 'C:\\a', 'file:///a'])('%s is one', (path) => expect(isModulePath(path)).toBe(true));
  test.each(['es', 'solr', 'mongodb', 'elastic.search'])('%s is a name', (name) => expect(isModulePath(name)).toBe(false));
});

describe('loadTarget', () => {
  test('the example of the documentation', async () => {
    const url = join(directory, 'journal');
    const own = await loadTarget(journal, { ...settings, url, options: { refuse: '2' } });
    await own.connect(never);
    expect(own.kind).toBe('journal');
    expect(await own.applyBatch([change(1, 1), change(2, 2)], never)).toMatchObject([{ status: 'applied' }, { status: 'rejected' }]);
    expect((await readFile(url, 'utf8')).trim().split('\n')).toHaveLength(1);
    await own.close();
  });

  test('a default export will do', async () => {
    expect((await load(`export default${target('').replace(/^export const createTarget =/, '')}`)).kind).toBe('own');
  });

  test.each([
    ['no such file', () => loadTarget(join(directory, 'absent.js'), settings), 'TW1330'],
    ['a file that throws', () => load('throw new Error("at once")'), 'TW1330'],
    ['no createTarget', () => load('export const other = 1'), 'TW1331'],
    ['createTarget throws', () => load('export const createTarget = () => { throw new Error("no url") }'), 'TW1331'],
    ['nothing returned', () => load('export const createTarget = () => undefined'), 'TW1332'],
    ['a method is missing', () => load(target('applyBatch: undefined')), 'TW1332'],
    ['no apiVersion', () => load(target('apiVersion: undefined')), 'TW1333'],
    ['another apiVersion', () => load(target('apiVersion: 2')), 'TW1333'],
  ])('%s', async (_, make, code) => {
    await expect(make()).rejects.toMatchObject({ code, retriable: false });
  });

  test.each([
    ['applyBatch: async () => { throw Object.assign(new Error("busy"), { retriable: true }) }', 'TW1334', true],
    ['applyBatch: async () => { throw new Error("broken") }', 'TW1335', false],
    ['applyBatch: async () => []', 'TW1336', false],
    ['applyBatch: async () => undefined', 'TW1336', false],
    ['applyBatch: async () => [{ status: "done" }]', 'TW1336', false],
  ])('%s', async (members, code, retriable) => {
    const own = await load(target(members));
    await expect(own.applyBatch([change(1, 1)], never)).rejects.toMatchObject({ code, retriable });
  });

  test('what the signal cut short stays what it is', async () => {
    const own = await load(target('applyBatch: async (_, signal) => signal.throwIfAborted()'));
    const failed = await own.applyBatch([change(1, 1)], AbortSignal.abort()).catch((error: unknown) => error);
    expect(failed).not.toBeInstanceOf(TailwaterError);
  });
});
