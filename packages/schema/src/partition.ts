// The partition of a key, as the Java client's default partitioner computes it, so that other clients agree (promise B).

const SEED = 0x9747b28c;
const M = 0x5bd1e995;
const R = 24;

/** murmur2 of `key[start, end)`, as org.apache.kafka.common.utils.Utils.murmur2 computes it: a signed 32-bit integer. */
export function murmur2(key: Uint8Array, start = 0, end = key.length): number {
  const length = end - start;
  let h = SEED ^ length;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    let k = (key[at] as number) | ((key[at + 1] as number) << 8) | ((key[at + 2] as number) << 16) | ((key[at + 3] as number) << 24);
    k = Math.imul(k, M);
    k ^= k >>> R;
    k = Math.imul(k, M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = end - at;
  if (rest === 3) h ^= (key[at + 2] as number) << 16;
  if (rest >= 2) h ^= (key[at + 1] as number) << 8;
  if (rest >= 1) h = Math.imul(h ^ (key[at] as number), M);
  h ^= h >>> 13;
  h = Math.imul(h, M);
  return h ^ (h >>> 15);
}

/** The partition, from 0, of a key's bytes in a topic of `partitions`. */
export function partitionOf(key: Uint8Array, partitions: number, start = 0, end = key.length): number {
  return (murmur2(key, start, end) & 0x7fff_ffff) % partitions;
}
