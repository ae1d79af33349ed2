import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseChecksums, shortDigest, verifyChecksums } from '#devstack/artifacts/checksums.js';
import { ChecksumError } from '#devstack/errors.js';

// printf a | sha256sum; printf b | sha256sum
const SHA_A = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb';
const SHA_B = '3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d';

describe('verifyChecksums', () => {
  let root: string;
  let list: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'checksums-'));
    list = `${root}.sha256`;
    await writeFile(list, `${SHA_A}  a.jar\n${SHA_B}  b.jar\n`);
    await writeFile(join(root, 'a.jar'), 'a');
    await writeFile(join(root, 'b.jar'), 'b');
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
    await rm(list);
  });

  it('accepts exactly the pinned files', async () => {
    await expect(verifyChecksums(root, list)).resolves.toBeUndefined();
  });

  it('names every file that differs, is missing or was not expected', async () => {
    await writeFile(join(root, 'a.jar'), 'tampered with');
    await rm(join(root, 'b.jar'));
    await writeFile(join(root, 'c.jar'), '');
    const verifying = verifyChecksums(root, list);
    await expect(verifying).rejects.toThrow(ChecksumError);
    await expect(verifying).rejects.toThrow('a.jar is another file, b.jar is missing, c.jar was not expected');
  });

  it('refuses a list that is none', () => {
    expect(() => parseChecksums('<html>')).toThrow(ChecksumError);
  });
});

describe('shortDigest', () => {
  it('tells apart texts that are equal when joined', () => {
    expect(shortDigest('ab', 'c')).not.toBe(shortDigest('a', 'bc'));
    expect(shortDigest('ab', 'c')).toMatch(/^[0-9a-f]{12}$/);
  });
});
