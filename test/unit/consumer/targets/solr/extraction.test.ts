import { describe, expect, it } from 'vitest';
import { textOf } from '#consumer/targets/solr/extraction.js';

describe('the text in an answer of /update/extract', () => {
  it.each([
    ['of a stream without a name', { responseHeader: { status: 0 }, '': 'text', null_metadata: ['a', ['b']] }, 'text'],
    ['of one that Solr calls file', { responseHeader: { status: 0 }, file: 'text', file_metadata: ['a', ['b']] }, 'text'],
    ['that is empty', { responseHeader: { status: 0 }, '': '', null_metadata: [] }, ''],
    ['that is none', { responseHeader: { status: 0 } }, undefined],
  ])('%s', (_, answer, text) => {
    expect(textOf({ text: JSON.stringify(answer) })).toBe(text);
  });

  it('is none where the answer is no JSON object', () => {
    expect(textOf({ text: '<html>' })).toBeUndefined();
    expect(textOf({ text: 'null' })).toBeUndefined();
  });
});
