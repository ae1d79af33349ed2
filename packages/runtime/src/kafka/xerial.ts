// Java's clients and brokers put snappy's blocks into a framing of their own, that of the library snappy-java; others write one block
// without any. https://github.com/xerial/snappy-java#compatibility-notes
const MAGIC = Buffer.from('\x82SNAPPY\0', 'latin1');
/** The magic, a version, and the oldest version that reads it. */
const HEADER_BYTES = MAGIC.length + 8;

export const isXerial = (compressed: Buffer): boolean =>
  compressed.length >= HEADER_BYTES && compressed.compare(MAGIC, 0, MAGIC.length, 0, MAGIC.length) === 0;

/**
 * The blocks of a framed batch, each to be decompressed alone.
 *
 * @throws RangeError when the last one is cut off
 */
export function* xerialBlocks(compressed: Buffer): Generator<Buffer> {
  for (let at = HEADER_BYTES; at < compressed.length; ) {
    const begin = at + 4;
    const end = begin + compressed.readUInt32BE(at);
    if (end > compressed.length) throw new RangeError('a block is cut off');
    yield compressed.subarray(begin, end);
    at = end;
  }
}
