// The files that were pinned, and no others: what is run is what was tried.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ChecksumError } from '../errors.js';

/** The SHA-256 of a file, in hexadecimal. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** A short name for some text: the first 12 hexadecimal digits of its SHA-256. */
export function shortDigest(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:`).update(text);
  return hash.digest('hex').slice(0, 12);
}

/** Reads a list in the format of sha256sum: file name to checksum. */
export function parseChecksums(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return new Map(
    lines.map((line) => {
      const match = /^([0-9a-f]{64}) [ *](.+)$/.exec(line);
      if (match === null) throw new ChecksumError(`Not a line of sha256sum: ${line}`);
      return [match[2] as string, match[1] as string];
    }),
  );
}

/**
 * Compares a folder with the list in `listFile`, both ways.
 *
 * @throws {ChecksumError} naming the files that differ, are missing or were not expected
 */
export async function verifyChecksums(directory: string, listFile: string): Promise<void> {
  const expected = parseChecksums(await readFile(listFile, 'utf8'));
  const found = new Set(await readdir(directory));
  const complaints: string[] = [];
  for (const [name, checksum] of expected) {
    if (!found.delete(name)) complaints.push(`${name} is missing`);
    else if ((await sha256OfFile(join(directory, name))) !== checksum) complaints.push(`${name} is another file`);
  }
  for (const name of found) complaints.push(`${name} was not expected`);
  if (complaints.length > 0) {
    throw new ChecksumError(`The download is not what ${listFile} pins: ${complaints.join(', ')}. Nothing of it was kept`);
  }
}
