import { gzipSync } from 'node:zlib';
import '@tailwater/runtime';
import kafkajs from 'kafkajs';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';

const { CompressionCodecs, CompressionTypes } = kafkajs;

const text = Buffer.from('a record of a batch, '.repeat(20));
/** By the zstd of its authors, at level 19: Node 20 compresses none. */
const ZSTD = Buffer.from('KLUv/QRo5QAAqGEgcmVjb3JkIG9mIGEgYmF0Y2gsIAEAGVGdTAH0qhk=', 'base64');

const blocks = [text.subarray(0, 100), text.subarray(100)].map((block) => compressSync(block));
const lengthOf = (block: Buffer) => Buffer.from(Uint32Array.of(block.length).buffer).swap32();
const xerial = Buffer.concat([
  Buffer.from('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01', 'latin1'),
  ...blocks.flatMap((block) => [lengthOf(block), block]),
]);

const decompress = async (type: number, compressed: Buffer): Promise<string> => {
  const codec = CompressionCodecs[type as keyof typeof CompressionCodecs]();
  return (await codec.decompress(compressed)).toString();
};

describe('batches are decompressed', () => {
  it.each([
    ['gzip', CompressionTypes.GZIP, gzipSync(text)],
    ['snappy, one block', CompressionTypes.Snappy, compressSync(text)],
    ['snappy in the framing of Java', CompressionTypes.Snappy, xerial],
    ['lz4', CompressionTypes.LZ4, compressFrameSync(text)],
    ['lz4 with checksums', CompressionTypes.LZ4, compressFrameSync(text, { contentChecksum: true, blockChecksums: true })],
    ['zstd', CompressionTypes.ZSTD, ZSTD],
  ])('%s', async (_, type, compressed) => {
    expect(await decompress(type, compressed)).toBe(text.toString());
  });

  it.each([
    ['gzip', CompressionTypes.GZIP, gzipSync(text)],
    ['snappy', CompressionTypes.Snappy, compressSync(text)],
    ['snappy', CompressionTypes.Snappy, xerial],
    ['lz4', CompressionTypes.LZ4, compressFrameSync(text)],
    ['zstd', CompressionTypes.ZSTD, ZSTD],
  ])('a damaged batch of %s is told by code', async (codec, type, compressed) => {
    for (const damaged of [Buffer.from('no such thing'), compressed.subarray(0, compressed.length - 6)]) {
      await expect(decompress(type, damaged)).rejects.toMatchObject({
        code: 'TW1280',
        retriable: false,
        message: expect.stringContaining(codec),
      });
    }
  });
});
