// The headers of a delete, as they are written and as clients hand them over.
import { Position, parseTombstone, type RecordHeaders, type Tombstone, tombstoneHeaders } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';

const tombstone: Tombstone = { position: new Position(1_710_276_607, 4, 2), origin: 'sweep', wallTimeMs: 1_710_276_607_123 };
const headers = tombstoneHeaders(tombstone);

it('is readable in any Kafka tool', () => {
  expect(headers).toEqual({
    'tw-op': 'delete',
    'tw-position': '1710276607:4:2',
    'tw-origin': 'sweep',
    'tw-wall-time': '1710276607123',
  });
});

describe('parseTombstone', () => {
  const each = (change: (value: string) => RecordHeaders[string]): RecordHeaders =>
    Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, change(value)]));

  it('reads the headers it wrote', () => {
    expect(parseTombstone(headers)).toEqual(tombstone);
  });

  it('reads buffers, as kafkajs hands headers over', () => {
    expect(parseTombstone(each((value) => Buffer.from(value)))).toEqual(tombstone);
  });

  it('reads the first of several headers of one name', () => {
    expect(parseTombstone(each((value) => [Buffer.from(value), 'later']))).toEqual(tombstone);
    expect(parseTombstone(each((value) => [value]))).toEqual(tombstone);
  });

  it('lets others’ headers be', () => {
    expect(parseTombstone({ traceparent: Buffer.from('00-0af7'), ...headers })).toEqual(tombstone);
  });

  it.each(['tail', 'snapshot', 'sweep', 'refresh'] as const)('reads the origin %s', (origin) => {
    expect(parseTombstone(tombstoneHeaders({ ...tombstone, origin }))?.origin).toBe(origin);
  });

  it.each([
    ['no headers', undefined],
    ['nothing in them', {}],
    ['somebody else’s', { traceparent: '00-0af7' }],
    ['another operation', { ...headers, 'tw-op': 'insert' }],
    ['no operation', { ...headers, 'tw-op': undefined }],
    ['no position', { ...headers, 'tw-position': undefined }],
    ['a position that is none', { ...headers, 'tw-position': 'yesterday' }],
    ['an origin that is none', { ...headers, 'tw-origin': 'elsewhere' }],
    ['no wall time', { ...headers, 'tw-wall-time': undefined }],
    ['an empty wall time', { ...headers, 'tw-wall-time': '' }],
    ['a wall time that is no integer', { ...headers, 'tw-wall-time': '1e3' }],
    ['a header without a value', { ...headers, 'tw-position': [] }],
  ] satisfies [string, RecordHeaders | undefined][])('finds none in %s', (_what, found) => {
    expect(parseTombstone(found)).toBeUndefined();
  });
});
