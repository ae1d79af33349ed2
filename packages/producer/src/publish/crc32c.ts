// CRC-32C, the checksum of a Kafka record batch (RFC 3720, appendix B.4), eight bytes a step.

/** The Castagnoli polynomial, bits reversed. */
const POLYNOMIAL = 0x82f63b78;
const STEP = 8;

/** Table `n` is the checksum of a byte that `n` zero bytes follow. */
const tables = Array.from({ length: STEP }, () => new Int32Array(256));
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  (tables[0] as Int32Array)[byte] = crc;
}
for (let n = 1; n < STEP; n++) {
  const [first, previous, table] = [tables[0], tables[n - 1], tables[n]] as [Int32Array, Int32Array, Int32Array];
  for (let byte = 0; byte < 256; byte++) {
    const crc = previous[byte] as number;
    table[byte] = (first[crc & 0xff] as number) ^ (crc >>> 8);
  }
}
const [T0, T1, T2, T3, T4, T5, T6, T7] = tables as [
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
  Int32Array,
];

/** The checksum of the bytes `[start, end)`, as an unsigned number. */
export function crc32c(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  let at = start;
  for (const last = end - STEP; at <= last; at += STEP) {
    crc ^= (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
    crc =
      (T7[crc & 0xff] as number) ^
      (T6[(crc >>> 8) & 0xff] as number) ^
      (T5[(crc >>> 16) & 0xff] as number) ^
      (T4[crc >>> 24] as number) ^
      (T3[bytes[at + 4] as number] as number) ^
      (T2[bytes[at + 5] as number] as number) ^
      (T1[bytes[at + 6] as number] as number) ^
      (T0[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) crc = (T0[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}
