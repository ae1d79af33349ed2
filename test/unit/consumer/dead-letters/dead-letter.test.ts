import { describe, expect, test } from 'vitest';
import { decodeDeadLetter, encodeDeadLetter } from '#consumer/dead-letters/dead-letter.js';

const place = { topic: 'tw.shop.orders', partition: 3 };
const reason = {
  kind: 'refused',
  code: 'mapper_parsing_exception',
  reason: 'failed to parse field [prix] — “n/a”',
  target: 'es',
  destination: 'search.orders',
  position: '1700000000:7',
  refusedAtMs: 1_700_000_000_123,
} as const;

/** As Kafka gives it back: headers are bytes. */
const stored = ({ key, value, headers }: ReturnType<typeof encodeDeadLetter>) => ({
  key: Buffer.from(key),
  value,
  headers: Object.fromEntries(Object.entries(headers).map(([name, each]) => [name, Buffer.from(each as string)])),
  offset: '0',
});

describe('a dead letter', () => {
  test('gives back the record as it was, with the reason', () => {
    const record = { key: Buffer.from('{"$oid":"0123"}'), value: Buffer.from([0, 1, 255]), headers: {}, offset: '12' };
    const letter = decodeDeadLetter(stored(encodeDeadLetter(place, record, reason)));
    expect(letter).toEqual({ id: 'tw.shop.orders/3/12', ...place, ...reason, record });
  });

  test('a delete stays a delete, with its own headers, and has a value in the topic: a record without one would remove the letter', () => {
    const record = { key: Buffer.from('1'), value: null, headers: { 'tw-op': Buffer.from('delete') }, offset: '12' };
    const message = encodeDeadLetter(place, record, reason);
    expect(message.value).toHaveLength(0);
    expect(decodeDeadLetter(stored(message))?.record).toEqual(record);
  });

  test('an undecodable record keeps what it had, and lacks what it lacked', () => {
    const record = { key: null, value: Buffer.alloc(0), headers: {}, offset: '0' };
    const why = { ...reason, kind: 'undecodable', destination: undefined, position: undefined } as const;
    const letter = decodeDeadLetter(stored(encodeDeadLetter(place, record, why)));
    expect(letter).toMatchObject({ kind: 'undecodable', record });
    expect(letter?.destination).toBeUndefined();
  });

  test.each([
    ['no value', { key: Buffer.from('tw.shop.orders/3/12'), value: null, headers: {}, offset: '0' }],
    ['no headers', { key: Buffer.from('tw.shop.orders/3/12'), value: Buffer.alloc(0), offset: '0' }],
    ['another key', { ...stored(encodeDeadLetter(place, { key: null, value: null, offset: '1' }, reason)), key: Buffer.from('what') }],
    ['no key', { ...stored(encodeDeadLetter(place, { key: null, value: null, offset: '1' }, reason)), key: null }],
  ])('%s is no letter', (_, record) => {
    expect(decodeDeadLetter(record)).toBeUndefined();
  });
});
