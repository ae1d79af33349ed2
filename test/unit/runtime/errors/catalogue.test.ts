import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorCode, type ErrorEntry, errorCatalogue, errorCodes } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const entries = Object.entries(errorCatalogue) as [ErrorCode, ErrorEntry][];

describe('the error catalogue', () => {
  it.each(entries)('%s reads well', (code, entry) => {
    expect(code).toMatch(/^TW1[0-5]\d\d$/);
    expect(entry.title).toMatch(/^[A-Z]/);
    expect(entry.message).toMatch(/[^.]$/);
    expect(entry.hint).toMatch(/^[A-Z](.|\n)*[.…]$/);
    expect(entry.message.length + entry.hint.length).toBeLessThan(500);
  });

  it('ends with exit code 2 whatever the user typed or configured', () => {
    for (const [code, entry] of entries) if (code.startsWith('TW10')) expect(entry, code).toMatchObject({ exitCode: 2, retriable: false });
  });

  it('has no two entries of one title', () => {
    const titles = entries.map(([, entry]) => entry.title);
    expect(new Set(titles).size).toBe(titles.length);
  });

  it('has a name for each code, and no code twice', () => {
    const codes = Object.values(errorCodes);
    expect(codes.length).toBe(entries.length);
    expect(new Set(codes).size).toBe(codes.length);
    for (const name of Object.keys(errorCodes)) expect(name).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
  });

  it('is where the code has its codes from', async () => {
    const bare: string[] = [];
    for (const file of await readdir('packages', { recursive: true })) {
      if (!/^[^/]+\/src\/.*\.ts$/.test(file) || file.includes('errors/catalogue/')) continue;
      const lines = (await readFile(join('packages', file), 'utf8')).split('\n');
      for (const line of lines) if (/'TW\d{4}'/.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line)) bare.push(`${file}: ${line.trim()}`);
    }
    expect(bare).toEqual([]);
  });

  it('decides by a property of an entry, never by a list of codes elsewhere', async () => {
    const lists: string[] = [];
    for (const file of await readdir('packages', { recursive: true })) {
      if (!/^[^/]+\/src\/.*\.ts$/.test(file)) continue;
      if (/[[,]\s*errorCodes\.\w+\s*,\s*errorCodes\./.test(await readFile(join('packages', file), 'utf8'))) lists.push(file);
    }
    expect(lists).toEqual([]);
  });

  it('says of no error both that it passes and that an operator must correct it', () => {
    for (const [code, entry] of entries) expect(entry.retriable && entry.waitsForOperator === true, code).toBe(false);
  });
});
