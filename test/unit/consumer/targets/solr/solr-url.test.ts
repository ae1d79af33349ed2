import { describe, expect, test } from 'vitest';
import { parseSolrUrl } from '#consumer/targets/solr/solr-url.js';

describe('parseSolrUrl', () => {
  test.each([
    ['http://host:8983/solr', '/solr', undefined],
    ['http://host:8983/solr/', '/solr', undefined],
    ['http://host:8983/solr/orders', '/solr', 'orders'],
    ['http://host:8983/solr/solr', '/solr', 'solr'],
    ['http://host:8983/search/solr', '/search/solr', undefined],
    ['http://host:8983/search/solr/my%20core/', '/search/solr', 'my core'],
  ])('%s', (url, path, core) => {
    expect(parseSolrUrl(url)).toEqual({ origin: 'http://host:8983', path, core, authorization: undefined });
  });

  test('user and password become a header, and leave the origin', () => {
    const address = parseSolrUrl('https://us%20er:p%40ss@host/solr/a');
    expect(address?.origin).toBe('https://host');
    expect(address?.authorization).toBe(`Basic ${Buffer.from('us er:p@ss').toString('base64')}`);
  });

  test.each(['host:8983/solr', 'mongodb://host/solr', 'http://host:8983', 'http://host:8983/orders', 'nonsense'])(
    '%s is malformed',
    (url) => {
      expect(parseSolrUrl(url)).toBeUndefined();
    },
  );
});
