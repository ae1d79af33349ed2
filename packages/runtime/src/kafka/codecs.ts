// What record batches are compressed with. A broker or a topic says so by `compression.type`, whatever wrote the records, and kafkajs
// alone reads gzip only. Its table of codecs is one for the whole process: importing this fills it, before any client is made.
//
// snappy and lz4 are packages with a built file for each platform, and are loaded when the first such batch arrives, so that a platform
// without one still reads all others. Node decodes zstd from 22.15 on; below, a decoder in plain JavaScript does.

import { promisify } from 'node:util';
import * as zlib from 'node:zlib';
import kafkajs from 'kafkajs';
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';
import { isXerial, xerialBlocks } from './xerial.js';

type Decompress = (compressed: Buffer) => Promise<Uint8Array>;

/** What a batch may come to; no broker takes one that large. */
const MAX_BYTES = 1024 ** 3;

const gunzip = promisify(zlib.gunzip);
// Not in Node 20, nor in its types.
const { zstdDecompress } = zlib as { zstdDecompress?: (compressed: Buffer, options: object, done: Done) => void };
type Done = (error: Error | null, result: Buffer) => void;
const unzstd = zstdDecompress === undefined ? undefined : promisify(zstdDecompress);

const DECODERS: Readonly<Record<'GZIP' | 'Snappy' | 'LZ4' | 'ZSTD', Decompress>> = {
  GZIP: (compressed) => gunzip(compressed, { maxOutputLength: MAX_BYTES }),
  Snappy: async (compressed) => {
    const { uncompressSync } = await import('snappy');
    const uncompress = (block: Buffer) => uncompressSync(block) as Buffer;
    return isXerial(compressed) ? Buffer.concat([...xerialBlocks(compressed)].map(uncompress)) : uncompress(compressed);
  },
  LZ4: async (compressed) => {
    const { decompressFrameSync } = await import('lz4-napi');
    return decompressFrameSync(compressed);
  },
  ZSTD: async (compressed) => {
    if (unzstd !== undefined) return unzstd(compressed, { maxOutputLength: MAX_BYTES });
    const { decompress } = await import('fzstd');
    return decompress(compressed);
  },
};

/**
 * What kafkajs asks for. It decodes only: what we write, a broker compresses as its topic wants.
 *
 * @throws TailwaterError TW1280 from `decompress`
 */
function codecOf(name: string, decode: Decompress) {
  return {
    compress: () => Promise.reject(new Error(`Nothing is written with ${name}`)),
    async decompress(compressed: Buffer): Promise<Buffer> {
      try {
        const { buffer, byteOffset, byteLength } = await decode(compressed);
        return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
      } catch (cause) {
        throw new TailwaterError(
          errorCodes.BATCH_NOT_DECOMPRESSED,
          { codec: name.toLowerCase(), bytes: compressed.length, reason: (cause as Error).message },
          { cause },
        );
      }
    },
  };
}

for (const [name, decode] of Object.entries(DECODERS)) {
  const codec = codecOf(name, decode);
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes[name as keyof typeof DECODERS]] = () => codec;
}
