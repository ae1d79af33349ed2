import { describe, expect, test } from 'vitest';
import { isAmbiguous, notABulkResponse, readBulkResponse } from '#consumer/targets/elasticsearch/bulk-response.js';
import { change } from '#test/unit/consumer/support/changes.js';

const upsert = change(1, 1);
const remove = change(1, 1, { kind: 'delete' });
const failed = (status: number, type: string, kind = 'index') => ({ [kind]: { _id: '1', status, error: { type, reason: 'because' } } });

describe('readBulkResponse', () => {
  test('without errors everything is applied', () => {
    expect(readBulkResponse([upsert, remove], { errors: false, items: [] })).toEqual([{ status: 'applied' }, { status: 'applied' }]);
  });

  test('a delete of what is not there is applied', () => {
    expect(readBulkResponse([remove], { errors: true, items: [{ delete: { status: 404 } }] })).toEqual([{ status: 'applied' }]);
  });

  test('a version conflict is superseded', () => {
    const items = [failed(409, 'version_conflict_engine_exception')];
    expect(readBulkResponse([upsert], { errors: true, items })).toEqual([{ status: 'superseded' }]);
  });

  test.each([
    [429, 'es_rejected_execution_exception', 'target'],
    [429, 'circuit_breaking_exception', 'target'],
    [500, 'node_closed_exception', 'doubtful'],
    [503, 'unavailable_shards_exception', 'place'],
    [503, 'process_cluster_event_timeout_exception', 'place'],
    [403, 'cluster_block_exception', 'place'],
    [429, 'cluster_block_exception', 'place'],
    [403, 'security_exception', 'place'],
    [400, 'index_closed_exception', 'place'],
    [400, 'invalid_index_name_exception', 'place'],
    [400, 'validation_exception', 'place'],
    [404, 'index_not_found_exception', 'place'],
    [400, 'illegal_argument_exception', 'place or document'],
    [400, 'document_parsing_exception', 'document'],
    [400, 'strict_dynamic_mapping_exception', 'document'],
  ])('%i %s refuses the %s', (status, type, what) => {
    for (const [each, kind] of [
      [upsert, 'index'],
      [remove, 'delete'],
    ] as const) {
      const [result] = readBulkResponse([each], { errors: true, items: [failed(status, type, kind)] });
      const retriable = !what.includes('document');
      const expected = { status: 'rejected', code: type, reason: 'because', retriable };
      expect(result).toEqual({
        ...expected,
        ...(what === 'place' ? { scope: 'place' } : {}),
        ...(what === 'doubtful' ? { doubtful: true } : {}),
      });
      expect(isAmbiguous(result)).toBe(what === 'place or document');
    }
  });

  test('the reason says what it was caused by, without the document’s values', () => {
    const cause = { type: 'illegal_argument_exception', reason: 'For input string: "secret"' };
    const error = { type: 'document_parsing_exception', reason: '[1:7] failed to parse field [n] of type [long]', caused_by: cause };
    expect(readBulkResponse([upsert], { errors: true, items: [{ index: { status: 400, error } }] })).toMatchObject([
      { reason: '[1:7] failed to parse field [n] of type [long]: For input string: "***"' },
    ]);
  });
});

describe('notABulkResponse', () => {
  const item = { index: { _id: '1', status: 200 } };

  test('the response of this request is one', () => {
    expect(notABulkResponse([upsert], { errors: false, items: [item] })).toBeUndefined();
    expect(notABulkResponse([remove], { errors: false, items: [{ delete: { _id: '1', status: 404 } }] })).toBeUndefined();
  });

  test.each([
    ['<html>Welcome</html>'],
    [null],
    [undefined],
    [true],
    [{}],
    [{ status: 'green' }],
    [{ errors: false }],
    [{ errors: false, items: {} }],
    [{ items: [item] }],
    [{ errors: false, items: [] }],
    [{ errors: false, items: [item, item] }],
    [{ errors: false, items: [null] }],
    [{ errors: false, items: [{}] }],
    [{ errors: false, items: [{ delete: { _id: '1', status: 200 } }] }],
    [{ errors: false, items: [{ index: { _id: '2', status: 200 } }] }],
    [{ errors: false, items: [{ index: { _id: '1' } }] }],
  ])('%j is none', (response) => {
    expect(notABulkResponse([upsert], response)).toMatch(/./);
  });
});
