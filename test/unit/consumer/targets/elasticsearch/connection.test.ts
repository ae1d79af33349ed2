import { describe, expect, it } from 'vitest';
import { connectionOptions } from '#consumer/targets/elasticsearch/connection.js';

const CLOUD_ID = `prod:${Buffer.from('eu.example.org:443$0123abc$4567def').toString('base64')}`;

describe('connectionOptions', () => {
  it('takes several nodes, and leaves commas of passwords alone', () => {
    const { nodes } = connectionOptions('http://u:a,b@h1:9200, https://h2:9243', {});
    expect(nodes).toEqual(['http://u:a,b@h1:9200', 'https://h2:9243']);
  });

  it('takes a cloud id', () => {
    expect(connectionOptions(`cloud:${CLOUD_ID}`, {})).toMatchObject({ cloud: { id: CLOUD_ID } });
  });

  it.each(['cloud:', 'cloud:prod', 'cloud:prod:bm90aGluZw==', 'cloud:prod:***'])('%s is no cloud id', (url) => {
    expect(() => connectionOptions(url, {})).toThrow(expect.objectContaining({ code: 'TW1340' }));
  });

  it.each(['', 'h:9200', 'http://h:9200,ftp://x', 'mongodb://h'])('%j is no URL of Elasticsearch', (url) => {
    expect(() => connectionOptions(url, {})).toThrow(expect.objectContaining({ code: 'TW1308' }));
  });

  it('never looks for other nodes, nor sends twice', () => {
    expect(connectionOptions('http://h', {})).toMatchObject({
      sniffOnStart: false,
      sniffOnConnectionFault: false,
      sniffInterval: false,
      maxRetries: 0,
    });
  });
});
