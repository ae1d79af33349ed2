import { type ErrorCode, type ErrorEntry, errorCatalogue } from '@tailwater/runtime';
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
});
