// Control records, their keys, and what is neither.
import { type ControlRecord, controlKey, decodeControlRecord, encodeControlRecord, isControlKey, Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';

const gap: ControlRecord = {
  kind: 'gap',
  position: new Position(1_710_276_607, 4),
  wallTimeMs: 1_710_276_607_123,
  details: { lostSeconds: 3_600, from: '1710273007:1', complete: false, reason: null },
};

describe('a control record', () => {
  it('comes back from its JSON', () => {
    expect(decodeControlRecord(encodeControlRecord(gap))).toEqual(gap);
  });

  it('may be of a kind that a later release writes', () => {
    const later = { ...gap, kind: 'chunk-checksum' };
    expect(decodeControlRecord(encodeControlRecord(later))).toEqual(later);
  });

  it.each([
    ['no details', '{"kind":"gap","position":"1:2","wallTimeMs":3}'],
    ['details that are none', '{"kind":"gap","position":"1:2","wallTimeMs":3,"details":[7]}'],
  ])('has no details when it holds %s', (_what, json) => {
    expect(decodeControlRecord(Buffer.from(json))).toEqual({ kind: 'gap', position: new Position(1, 2), wallTimeMs: 3, details: {} });
  });

  it.each([
    '',
    'gap',
    '{',
    'null',
    '[]',
    '"gap"',
    '{}',
    '{"kind":"gap"}',
    '{"kind":1,"position":"1:2","wallTimeMs":3}',
    '{"kind":"gap","position":"x","wallTimeMs":3}',
    '{"kind":"gap","position":"1:2","wallTimeMs":"3"}',
  ])('is not %j', (json) => {
    expect(decodeControlRecord(Buffer.from(json))).toBeUndefined();
  });
});

describe('its key', () => {
  it('is one per kind and source, so that compaction keeps the newest', () => {
    expect(controlKey('gap', 'rs0')).toBe('!tailwater/gap/rs0');
    expect(controlKey('gap', 'rs0')).not.toBe(controlKey('drop', 'rs0'));
    expect(controlKey('gap', 'rs0')).not.toBe(controlKey('gap', 'rs1'));
  });

  it('is known as text and as bytes', () => {
    expect(isControlKey(controlKey('gap', 'rs0'))).toBe(true);
    expect(isControlKey(Buffer.from(controlKey('gap', 'rs0')))).toBe(true);
    expect(isControlKey(new Uint8Array(Buffer.from(controlKey('gap', 'rs0'))))).toBe(true);
  });

  it.each([null, undefined, '', '!', '!tailwater', '"!tailwater/gap/rs0"', '{"$oid":"65f0c0ffee0123456789abcd"}', ' !tailwater/gap/rs0'])(
    'is not %j',
    (key) => {
      expect(isControlKey(key)).toBe(false);
      expect(isControlKey(typeof key === 'string' ? Buffer.from(key) : key)).toBe(false);
    },
  );

  it('begins as no JSON text does, so it is no document’s key', () => {
    expect(() => JSON.parse(controlKey('gap', 'rs0').slice(0, 1))).toThrow(SyntaxError);
  });
});
