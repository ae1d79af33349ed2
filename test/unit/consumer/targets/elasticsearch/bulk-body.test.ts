import { BSON, ObjectId } from 'bson';
import { describe, expect, test } from 'vitest';
import { BulkBody } from '#consumer/targets/elasticsearch/bulk-body.js';
import { indexName } from '#consumer/targets/elasticsearch/index-name.js';
import { change, ORDERS } from '#test/unit/consumer/support/changes.js';

const lines = (body: Buffer): string[] => body.toString('utf8').split('\n');

describe('BulkBody', () => {
  test('an upsert is an action and a document, a delete an action', () => {
    const id = new ObjectId('507f1f77bcf86cd799439011');
    const body = new BulkBody(indexName);
    const written = body.write([change(id, 3), change('a"b', 4, { kind: 'delete', namespace: { database: 'Shop', collection: 'x y' } })]);
    const version = 1_700_000_000n << 32n;
    expect(lines(written)).toEqual([
      `{"index":{"version_type":"external_gte","_index":"shop.orders","_id":"507f1f77bcf86cd799439011","version":${version + 3n}}}`,
      '{"sequence":3}',
      `{"delete":{"version_type":"external_gte","_index":"shop.x_x20_y","_id":"a\\"b","version":${version + 4n}}}`,
      '',
    ]);
  });

  test.each(['plain', 'ü', 'a\\b', 'line\nbreak', '{"a":1}', ''])('the id %j is JSON', (id) => {
    const [action = ''] = lines(new BulkBody(indexName).write([change(id, 1, { kind: 'delete' })]));
    expect(JSON.parse(action).delete._id).toBe(id === '' || id.startsWith('{') ? JSON.stringify(id) : id);
  });

  test('uses its memory again, and counts what it left out over all requests', () => {
    const body = new BulkBody(indexName);
    const document = Buffer.from(BSON.serialize({ _id: 1, a: Number.NaN, text: 'x'.repeat(500_000) }));
    for (let round = 1; round <= 3; round++) {
      const { capacity } = body;
      const written = body.write([change(1, round, { namespace: ORDERS, document })]);
      expect(lines(written)[1]).toBe(`{"text":"${'x'.repeat(500_000)}"}`);
      expect(body.droppedValues).toBe(round);
      if (round > 1) expect(body.capacity).toBe(capacity);
    }
  });
});
