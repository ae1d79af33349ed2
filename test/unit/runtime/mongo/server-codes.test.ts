import { describe, expect, it } from 'vitest';
import { LASTING_CODES, PASSING_CODES } from '#runtime/mongo/server-codes.js';

describe('the codes of the server', () => {
  it('are each of one kind', () => {
    expect([...PASSING_CODES].filter((code) => LASTING_CODES.has(code))).toEqual([]);
  });
});
