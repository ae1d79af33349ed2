// The order of the folders, the documentation of them, and the folders themselves say the same.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '#devstack/docs/markdown.js';

const { layers, kafkajsHomes } = createRequire(import.meta.url)(join(PROJECT, '.layers.cjs')) as {
  readonly layers: Readonly<Record<string, readonly string[]>>;
  readonly kafkajsHomes: readonly string[];
};

/** What the first column of a table names, in its order. */
function firstColumn(file: string, heading: string): string[] {
  const text = readFileSync(join(PROJECT, 'docs', file), 'utf8');
  const rows =
    text
      .slice(text.indexOf(`| ${heading} |`))
      .split('\n\n')[0]
      ?.split('\n')
      .slice(2) ?? [];
  return rows.filter((row) => row !== '').map((row) => /^\| `([^`]+)` \|/.exec(row)?.[1] ?? row);
}

const sources = (name: string): string[] => readdirSync(join(PROJECT, 'packages', name, 'src'));
const isFolder = (entry: string): boolean => !entry.endsWith('.ts');

describe.each(Object.keys(layers))('the layers of %s', (name) => {
  it('are its folders, and the files beside them', () => {
    expect([...(layers[name] as readonly string[])].sort()).toEqual(sources(name).sort());
  });
});

it('every package that has folders has an order of them', () => {
  const packages = readdirSync(join(PROJECT, 'packages')).filter((name) => sources(name).some(isFolder));
  expect(packages.sort()).toEqual(Object.keys(layers).sort());
});

it('no file of the sources has more than 350 lines', () => {
  const packages = join(PROJECT, 'packages');
  const files = readdirSync(packages, { recursive: true }).filter((file) => /^[^/]+\/src\/.*\.ts$/.test(String(file)));
  const long = files.filter((file) => readFileSync(join(packages, String(file)), 'utf8').split('\n').length > 351);
  expect(long).toEqual([]);
});

describe('the documentation', () => {
  it.each(['producer', 'consumer', 'runtime'])('has the folders of the %s, in their order', (name) => {
    const folders = (layers[name] as readonly string[]).filter(isFolder);
    expect(firstColumn('05-development.md', `folder of the ${name}`)).toEqual(folders.map((folder) => `${folder}/`));
  });

  it('names every package', () => {
    const text = readFileSync(join(PROJECT, 'docs/05-development.md'), 'utf8');
    for (const name of readdirSync(join(PROJECT, 'packages'))) expect(text).toContain(`packages/${name} `);
  });

  it('has the homes of kafkajs', () => {
    expect(firstColumn('adr/0042-homes-of-kafkajs.md', 'where')).toEqual(kafkajsHomes);
  });
});
