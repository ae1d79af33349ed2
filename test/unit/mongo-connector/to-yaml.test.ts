import { convertMongoConnector, type JsonObject, toYaml } from '@tailwater/mongo-connector';
import { parseConfigFile } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const yamlOf = (config: JsonObject) => toYaml(convertMongoConnector({ config, file: 'config.json', exists: () => false }), 'config.json');

describe('toYaml', () => {
  const { text, references } = yamlOf({
    mainAddress: 'mongodb://u:s3cret@db1/?replicaSet=rs0',
    batchSize: 100,
    namespaces: { 'a.b': { rename: 'c.d', includeFields: ['f'] } },
    docManagers: [
      { docManager: 'elastic2_doc_manager', targetURL: 'es:9200', args: { clientOptions: { http_auth: 'u:s3cret' } } },
      { docManager: 'elastic2_doc_manager', targetURL: 'https://u:s3cret@es2' },
    ],
  });

  it('writes a file that both processes take', () => {
    const { targets, entries } = parseConfigFile(text, 'tailwater.yaml');
    expect(targets).toEqual(['es', 'es-2']);
    expect(entries.get('namespaces.rename')?.written).toEqual({ 'a.b': 'c.d' });
    expect(entries.get('kafka.brokers')?.written).toEqual(['127.0.0.1:9092']);
  });

  it('copies no secret, and names the variables that stand for them', () => {
    expect(text).not.toContain('s3cret');
    expect(references.map(({ variable, value, from }) => [variable, value, from])).toEqual([
      ['MONGO_URI_PASSWORD', 's3cret', 'mainAddress'],
      ['ES_PASSWORD', 's3cret', 'docManagers[0].args.clientOptions.http_auth'],
      ['ES_2_URL_PASSWORD', 's3cret', 'docManagers[1].targetURL'],
    ]);
    expect(text).toContain('# - MONGO_URI_PASSWORD (the secret in mainAddress, as it is written there)');
  });

  it('keeps what is no secret of an address', () => {
    expect(text).toContain('uri: mongodb://u:${MONGO_URI_PASSWORD}@db1/?replicaSet=rs0 # mainAddress');
    expect(text).toContain('url: https://u:${ES_2_URL_PASSWORD}@es2 # docManagers[1].targetURL');
  });

  it('says where values come from, and what became of the rest', () => {
    expect(text).toContain('url: http://es:9200 # docManagers[0].targetURL');
    expect(text).toContain('# Replaced:\n# - batchSize: ');
  });

  it('writes ${ so that it is text', () => {
    const { text: written } = yamlOf({ fields: ['a${b'] });
    expect(written).toContain('a$${b');
  });
});
