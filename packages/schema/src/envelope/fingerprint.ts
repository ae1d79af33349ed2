// The CRC-64-AVRO fingerprint of a schema, which names it in single-object encoding.
// https://avro.apache.org/docs/1.12.0/specification/#schema-fingerprints

const EMPTY = 0xc15d213aa4d7a795n;

const TABLE = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte);
  for (let bit = 0; bit < 8; bit++) value = (value >> 1n) ^ (EMPTY & -(value & 1n));
  return BigInt.asUintN(64, value);
});

/** CRC-64-AVRO of a schema's parsing canonical form, as an unsigned 64-bit integer. */
export function rabinFingerprint(canonicalForm: string): bigint {
  let value = EMPTY;
  for (const byte of Buffer.from(canonicalForm, 'utf8')) value = (value >> 8n) ^ (TABLE[Number((value ^ BigInt(byte)) & 0xffn)] as bigint);
  return value;
}
