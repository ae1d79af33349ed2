import { BSON } from 'bson';
import { describe, expect, it } from 'vitest';
import { FILE_HEADER, fileStateOf, reserveContent, splitContent } from '#schema/file-content.js';

const bytesOf = (document: BSON.Document): Buffer => Buffer.from(BSON.serialize(document));

describe('a content behind a document', () => {
  it.each([[''], ['hello'], ['x'.repeat(100_000)]])('is a field of it, and comes apart again (%#)', (text) => {
    const document = bytesOf({ _id: 1, filename: 'a', metadata: { $content: 1 } });
    const reserved = reserveContent(document, text.length);
    reserved.content.write(text);
    const { $content, ...rest } = BSON.deserialize(reserved.document);
    expect(rest).toEqual(BSON.deserialize(document));
    expect(Buffer.from(($content as BSON.Binary).buffer).toString()).toBe(text);
    const apart = splitContent(reserved.document);
    expect(apart.document).toEqual(document);
    expect(apart.content?.toString()).toBe(text);
  });

  it('is found wherever it stands', () => {
    const { document, content } = splitContent(bytesOf({ _id: 1, $content: new BSON.Binary(Buffer.from('ab')), b: 2 }));
    expect(BSON.deserialize(document)).toEqual({ _id: 1, b: 2 });
    expect(content).toEqual(Buffer.from('ab'));
  });

  it('is none where there is no such binary', () => {
    const document = bytesOf({ _id: 1, $content: 'text' });
    expect(splitContent(document)).toEqual({ document, content: undefined });
  });
});

describe('fileStateOf', () => {
  it('reads the header, and nothing else', () => {
    expect(fileStateOf({ [FILE_HEADER]: Buffer.from('too-large') })).toBe('too-large');
    expect(fileStateOf({ [FILE_HEADER]: ['deleted'] })).toBe('deleted');
    expect(fileStateOf({ [FILE_HEADER]: 'something new' })).toBeUndefined();
    expect(fileStateOf({})).toBeUndefined();
    expect(fileStateOf(undefined)).toBeUndefined();
  });
});
