import { describe, expect, test } from 'vitest';
import { isOtherTarget, targetMark } from '#consumer/subscribe/target-mark.js';

describe('whether two addresses are those of one target', () => {
  test.each([
    ['es', 'http://u:p@a:9200', 'http://a:9200/'],
    ['es', 'http://a:9200,http://b:9200', 'http://b:9200'],
    ['es', 'https://a', 'https://A:443/?x=1'],
    ['es', 'cloud:shop:ZXU=', 'cloud:shop:ZXU='],
    ['solr', 'http://a:8983/solr/shop', 'http://a:8983/solr/shop/'],
    ['mongo', 'mongodb://u:p%40q@a,b:27018/admin?replicaSet=rs0', 'mongodb://b:27018'],
    ['mongo', 'mongodb://a:27017', 'mongodb://other:secret@A'],
    ['./my.js', '', 'anything'],
  ])('%s: %s and %s are', (kind, one, other) => {
    expect(isOtherTarget(targetMark(kind, one), targetMark(kind, other))).toBe(false);
  });

  test.each([
    ['es', 'http://a:9200', 'http://b:9200'],
    ['es', 'http://a:9200', 'http://a:9201'],
    ['es', 'cloud:shop:ZXU=', 'cloud:shop:dXM='],
    ['es', 'http://proxy/one', 'http://proxy/two'],
    ['solr', 'http://a:8983/solr/shop', 'http://a:8983/solr/other'],
    ['mongo', 'mongodb+srv://a.example', 'mongodb://a.example'],
  ])('%s: %s and %s are not', (kind, one, other) => {
    expect(isOtherTarget(targetMark(kind, one), targetMark(kind, other))).toBe(true);
  });

  test('nothing of an address can be read from it, and a secret is no part of it', () => {
    const mark = targetMark('mongo', 'mongodb://u:secret@host.example:27018/db');
    expect(mark).toEqual(targetMark('mongo', 'mongodb://host.example:27018'));
    expect(mark.join()).toMatch(/^[\w-]{10}$/);
  });

  test('nothing is said of what is not known', () => {
    expect(isOtherTarget(undefined, targetMark('es', 'http://a:9200'))).toBe(false);
    expect(isOtherTarget(targetMark('es', 'http://a:9200'), [])).toBe(false);
  });
});
