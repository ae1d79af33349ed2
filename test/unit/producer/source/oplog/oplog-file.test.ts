import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Position } from '@tailwater/schema';
import { afterAll, describe, expect, it } from 'vitest';
import { OplogFile, parseOplogFile } from '#producer/source/oplog/oplog-file.js';

const directory = mkdtempSync(join(tmpdir(), 'tailwater-oplog-file-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** 1769846400 << 32 | 7, which no JS number holds. */
const TIMESTAMP = '7601432406943334407';

describe('parseOplogFile', () => {
  it('reads a replica set’s timestamp, every bit of it', () => {
    expect(parseOplogFile(`["rs0", ${TIMESTAMP}]`)).toEqual([{ name: 'rs0', position: new Position(1_769_846_400, 7) }]);
  });

  it('reads those of shards', () => {
    expect(parseOplogFile(`[["a", ${TIMESTAMP}],\n ["b", 4294967297]]`).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it.each(['[]', '["rs0", 76014324', '["rs0"]', '{}', 'hello', `["rs0", ${TIMESTAMP}] and more`])('finds nothing in %s', (text) =>
    expect(parseOplogFile(text)).toEqual([]),
  );
});

describe('OplogFile', () => {
  const fileWith = (text: string) => {
    const path = join(directory, `${Math.random()}.timestamp`);
    writeFileSync(path, text);
    return new OplogFile(path);
  };

  it('gives the place of the replica set that is connected', async () => {
    await expect(fileWith(`["rs0", ${TIMESTAMP}]`).position('rs0')).resolves.toEqual(new Position(1_769_846_400, 7));
  });

  it('gives the oldest of several shards', async () => {
    await expect(fileWith(`[["a", ${TIMESTAMP}], ["b", 4294967298]]`).position(undefined)).resolves.toEqual(new Position(1, 2));
  });

  it('takes the name that older versions wrote', async () => {
    const name = "Collection(Database(MongoClient([u'localhost:27017']), u'local'), u'oplog.rs')";
    await expect(fileWith(`["${name}", 4294967298]`).position('rs0')).resolves.toEqual(new Position(1, 2));
  });

  it('refuses the place of another replica set', async () => {
    await expect(fileWith(`["other", ${TIMESTAMP}]`).position('rs0')).rejects.toMatchObject({ code: 'TW1065' });
  });

  it.each(['', ' \n', '["rs0", 7601'])('refuses %j', async (text) => {
    await expect(fileWith(text).position('rs0')).rejects.toMatchObject({ code: 'TW1064' });
  });

  it('says that there is no such file', async () => {
    await expect(new OplogFile(join(directory, 'none')).position('rs0')).rejects.toThrow('there is no such file');
  });
});
