import { recordKeyOf } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import { decodeSignal, encodeSignal, type Signal } from '#producer/signals/signal.js';
import { everyId } from '#test/integration/producer/support/every-id.js';

const HEADER = { id: 'a', askedAtMs: 7 };

describe('signals', () => {
  it.each<Signal>([
    { ...HEADER, kind: 'snapshot', namespace: 'shop.orders' },
    { ...HEADER, kind: 'reconcile', namespace: 'shop.orders' },
    { ...HEADER, kind: 'pause', tail: true },
    { ...HEADER, kind: 'pause', tail: false },
    { ...HEADER, kind: 'resume' },
  ])('come back as they were: $kind', (signal) => expect(decodeSignal(encodeSignal(signal))).toEqual(signal));

  it('name ids of every type', () => {
    // But documents with field names that look like integers: JavaScript's objects put those first.
    const ids = everyId().filter((id) => !(id instanceof Map));
    const signal = decodeSignal(encodeSignal({ ...HEADER, kind: 'refresh', namespace: 'shop.orders', ids }));
    expect('ids' in signal && signal.ids.map(recordKeyOf)).toEqual(ids.map(recordKeyOf));
  });

  it.each([
    'nothing',
    '7',
    'null',
    '{"kind":"resume"}',
    '{"version":2,"kind":"resume"}',
    '{"version":1,"kind":"dance"}',
    '{"version":1,"kind":"refresh"}',
  ])('of a later release, or of somebody else, are refused: %s', (value) => expect(() => decodeSignal(Buffer.from(value))).toThrow());
});
