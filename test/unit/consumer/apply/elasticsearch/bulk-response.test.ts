import { describe, expect, test } from 'vitest';
import { readBulkResponse } from '../../../../../packages/consumer/src/apply/elasticsearch/bulk-response.js';
import { change } from '../../support/changes.js';

const upsert = change(1, 1);
const remove = change(1, 1, { kind: 'delete' });
const failed = (status: number, type: string) => ({ index: { status, error: { type, reason: 'because' } } });

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
    [429, 'es_rejected_execution_exception', true],
    [429, 'circuit_breaking_exception', true],
    [503, 'unavailable_shards_exception', true],
    [500, 'node_closed_exception', true],
    [403, 'cluster_block_exception', true],
    [403, 'security_exception', false],
    [400, 'document_parsing_exception', false],
    [404, 'index_not_found_exception', true],
  ])('%i %s: worth another attempt is %s', (status, type, retriable) => {
    const expected = { status: 'rejected', code: type, reason: 'because', retriable, ...(status === 500 ? { doubtful: true } : {}) };
    expect(readBulkResponse([upsert], { errors: true, items: [failed(status, type)] })).toEqual([expected]);
  });

  test('the reason says what it was caused by, without the document’s values', () => {
    const cause = { type: 'illegal_argument_exception', reason: 'For input string: "secret"' };
    const error = { type: 'document_parsing_exception', reason: '[1:7] failed to parse field [n] of type [long]', caused_by: cause };
    expect(readBulkResponse([upsert], { errors: true, items: [{ index: { status: 400, error } }] })).toMatchObject([
      { reason: '[1:7] failed to parse field [n] of type [long]: For input string: "***"' },
    ]);
  });

  test('a change that the response does not mention is tried again', () => {
    expect(readBulkResponse([upsert], { errors: true, items: [] })).toMatchObject([{ status: 'rejected', retriable: true }]);
  });
});
