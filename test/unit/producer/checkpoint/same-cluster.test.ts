import { describe, expect, it } from 'vitest';
import { clusterMessage } from '#producer/checkpoint/checkpoint-record.js';
import { assertSameCluster } from '#producer/checkpoint/same-cluster.js';

const source = (clusterId: string | undefined) => ({ clusterId, replicaSet: 'rs0', address: 'mongodb://a' });
const check = (noted: string | undefined, found: string | undefined, accepted?: string) =>
  assertSameCluster({ cluster: noted }, source(found), accepted);

describe('expectSameCluster', () => {
  it('notes a cluster that is not noted yet, and nothing else', () => {
    expect(check(undefined, 'one')).toEqual([clusterMessage('rs0', 'one')]);
    expect(check('one', 'one')).toEqual([]);
    expect(check(undefined, undefined)).toEqual([]);
  });

  it('compares nothing where the id may not be read', () => {
    expect(check('one', undefined)).toEqual([]);
  });

  it('refuses another cluster, unless it is the one that was accepted', () => {
    expect(() => check('one', 'two')).toThrow(expect.objectContaining({ code: 'TW1110' }));
    expect(() => check('one', 'two', 'three')).toThrow('two');
    expect(check('one', 'two', 'two')).toEqual([clusterMessage('rs0', 'two')]);
  });
});
