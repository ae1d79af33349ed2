import { convertMongoConnector, type JsonObject, parseConfigFile, toYaml } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const yamlOf = (config: JsonObject) => toYaml(convertMongoConnector({ config, file: 'config.json', exists: () => false }), 'config.json');

describe('toYaml', () => {
  const { text, variables } = yamlOf({
    mainAddress: 'mongodb://u:s3cret@db1/',
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
    expect(variables).toEqual(['MONGO_URI', 'ES_PASSWORD', 'ES_2_URL']);
    expect(text).toContain('uri: ${MONGO_URI} # mainAddress');
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
