// Known fingerprints: the Avro specification's example and its implementations' test vectors (lang/java, share/test/data).
import { rabinFingerprint } from '@tailwater/schema';
import { expect, it } from 'vitest';

it.each([
  ['"null"', 0x63dd24e7cc258f8an],
  ['"boolean"', 0x9f42fc78a4d4f764n],
  ['"int"', 0x7275d51a3f395c8fn],
  ['"long"', 0xd054e14493f41db7n],
  ['"float"', 0x4d7c02cb3ea8d790n],
  ['"double"', 0x8e7535c032ab957en],
  ['"bytes"', 0x4fc016dac3201965n],
  ['"string"', 0x8f014872634503c7n],
])('gives %s its published CRC-64-AVRO', (canonicalForm, fingerprint) => {
  expect(rabinFingerprint(canonicalForm)).toBe(fingerprint);
});

it('begins with the initial value that the specification names', () => {
  expect(rabinFingerprint('')).toBe(0xc15d213aa4d7a795n);
});

it('reads the canonical form as UTF-8', () => {
  expect(rabinFingerprint('"é"')).toBe(0xafa7005bb91e36d9n); // as fastavro computes it
});
