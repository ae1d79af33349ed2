import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOptions } from '@tailwater/runtime';
import { afterAll, describe, expect, it } from 'vitest';
import { accessOptions, targetAccess } from '#consumer/targets/access.js';
import { elasticsearchOptions, elasticsearchSettings } from '#consumer/targets/elasticsearch/options.js';

const directory = mkdtempSync(join(tmpdir(), 'es-options-'));
afterAll(() => rmSync(directory, { recursive: true }));

const settings = (flags: Record<string, string>) => {
  const lists = Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, [value]]));
  const given = loadOptions({ ...elasticsearchOptions, ...accessOptions }, { flags: lists, env: {} });
  return elasticsearchSettings(given, targetAccess(given));
};
const file = (name: string, text: string): string => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

describe('elasticsearchSettings', () => {
  it('names a template after its file', () => {
    const path = file('Shop Orders.json', '{"index_patterns":["shop.*"]}');
    expect(settings({ esTemplate: path }).templates).toEqual([
      { file: path, name: 'tailwater-shop orders', body: { index_patterns: ['shop.*'] } },
    ]);
  });

  it.each<[string, Record<string, string>]>([
    ['TW1015', { esApiKey: 'a', targetUser: 'b', targetPassword: 'c' }],
    ['TW1007', { targetUser: 'b' }],
    ['TW1007', { targetPassword: 'c' }],
    ['TW1017', { targetTlsCa: join(directory, 'missing.pem') }],
    ['TW1006', { esAliasSuffix: 'A B' }],
    ['TW1341', { esTemplate: join(directory, 'missing.json') }],
    ['TW1341', { esTemplate: file('broken.json', '{"index_patterns":') }],
    ['TW1341', { esTemplate: file('mapping.json', '{"mappings":{}}') }],
  ])('%s: %j', (code, flags) => {
    expect(() => settings(flags)).toThrow(expect.objectContaining({ code }));
  });
});
