// How large a reply of the server is. After a large one the next is asked for when it has been handed on, not while it waits.

const LARGE_BYTES = 4 * 1024 * 1024;

/** Bytes of the documents together. */
export function bytesOf(documents: readonly Buffer[]): number {
  let bytes = 0;
  for (const document of documents) bytes += document.length;
  return bytes;
}

export const isLarge = (documents: readonly Buffer[]): boolean => bytesOf(documents) >= LARGE_BYTES;
