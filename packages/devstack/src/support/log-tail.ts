// The end of a server's log, for the error of a server that does not come up.
import { type FileHandle, open } from 'node:fs/promises';

const MAX_BYTES = 16 * 1024;

/** The last `lines` lines of a file, at most 16 KiB of them; a sentence when there is no such file. */
export async function logTail(path: string, lines = 40): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      return await readTail(file, lines);
    } finally {
      await file.close();
    }
  } catch (error) {
    return `(no log: ${(error as Error).message})`;
  }
}

async function readTail(file: FileHandle, lines: number): Promise<string> {
  const { size } = await file.stat();
  const length = Math.min(size, MAX_BYTES);
  const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
  const text = buffer.toString('utf8').trimEnd();
  return text === '' ? '(the log is empty)' : text.split('\n').slice(-lines).join('\n');
}
