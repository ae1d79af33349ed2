// Why a file cannot be read, in words.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a directory',
  ERR_INVALID_ARG_VALUE: 'no file is called so',
};

export function describeReadFailure(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? message;
}

/** The text of a file. One in another encoding would become another text: a password that is silently wrong. */
export function readText(file: string): string {
  const bytes = readFileSync(file);
  if (!isUtf8(bytes)) throw new Error('it is no text in UTF-8');
  return bytes.toString('utf8');
}
