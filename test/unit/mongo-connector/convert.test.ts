import { readFileSync } from 'node:fs';
import { type Conversion, convertMongoConnector, readMongoConnector } from '@tailwater/mongo-connector';
import { compileFieldRules, compileNamespaceRules } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const EXAMPLE = readFileSync(new URL('../../fixtures/mongo-connector/config.json', import.meta.url), 'utf8');

const read = (text: string) => readMongoConnector(text) ?? {};
const convert = (config: Record<string, unknown>, exists = false) =>
  convertMongoConnector({ config, file: 'config.json', exists: () => exists });

/** The tree as a file would hold it. */
function nest(tree: Conversion['tree']): Record<string, unknown> {
  const nested: Record<string, unknown> = {};
  for (const [key, { value }] of tree) {
    const keys = key.split('.');
    const last = keys.pop() ?? key;
    const at = keys.reduce<Record<string, unknown>>((node, name) => {
      node[name] ??= {};
      return node[name] as Record<string, unknown>;
    }, nested);
    at[last] = value;
  }
  return nested;
}

/** What `namespaces` and the global fields say of a namespace: its name at the target and its fields; undefined when it is left out. */
function ruleOf(name: string, config: Record<string, unknown>) {
  const { include, exclude, rename, fields } = nest(convert(config).tree)['namespaces'] as {
    include?: string[];
    exclude?: string[];
    rename?: Record<string, string>;
    fields?: { include?: string[]; exclude?: string[] };
  };
  const rules = compileNamespaceRules({
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(rename === undefined ? {} : { rename }),
  });
  const fieldRules = compileFieldRules({ includeFields: fields?.include ?? [], excludeFields: fields?.exclude ?? [] });
  const dot = name.indexOf('.');
  const [database, collection] = [name.slice(0, dot), name.slice(dot + 1)];
  if (!rules.includes(database, collection)) return undefined;
  const target = rules.rename({ database, collection });
  return { name: `${target.database}.${target.collection}`, fields: fieldRules(database, collection) };
}

describe('the published example', () => {
  it('becomes a configuration', () => {
    const { tree, notices } = convertMongoConnector({ config: read(EXAMPLE), file: 'config.json', exists: () => false });
    expect(nest(tree)).toEqual({
      namespaces: { exclude: ['*.*.chunks', '*.*.files'] },
      source: { uri: 'mongodb://localhost:27017/' },
      producer: { logging: { file: '/var/log/mongo-connector/mongo-connector.producer.log' } },
      targets: {
        es: { type: 'es', url: 'http://127.0.0.1:9200', logging: { file: '/var/log/mongo-connector/mongo-connector.es.log' } },
      },
      logging: { level: 'error', rotateEvery: 'daily', keep: 7 },
    });
    expect(notices.map(({ key, fate }) => `${key} ${fate}`)).toEqual([
      'oplogFile replaced',
      'batchSize replaced',
      'continueOnError replaced',
      'logging.filename note',
    ]);
  });

  it('also when all that is disabled in it is enabled', () => {
    const text = EXAMPLE.replaceAll('"__', '"')
      .replace('"type": "file",', '')
      .replace('"password": "password",', '')
      .replace(/"Policy for [^"]*"/, '"required"')
      .replace('gridfs_wildcard.*', 'gridfs_wildcard.bucket');
    const { tree, notices } = convertMongoConnector({ config: read(text), file: 'config.json', exists: () => false });
    expect(nest(tree)).toMatchObject({
      source: {
        user: 'username',
        password: 'file:mongo-connector.pwd',
        uri: expect.stringContaining('authSource=admin&tls=true') as string,
      },
      namespaces: {
        exclude: ['excluded.collection', 'excluded_wildcard.*', '*.exclude_collection_from_every_database', '*.*.chunks'],
        rename: { 'renamed.collection1': 'something.else1', 'renamed_wildcard.*': 'new_name.*' },
        gridfs: ['gridfs.collection', 'gridfs_wildcard.bucket'],
      },
      logging: { syslog: 'udp://localhost:514', syslogFacility: 'user' },
    });
    expect(notices.filter(({ fate }) => fate === 'ignored').map(({ key }) => key)).toEqual(['comment__']);
  });
});

describe('readMongoConnector', () => {
  it('leaves out what is disabled, at any level, and takes the last of a repeated key', () => {
    expect(read('{"noDump": false, "__x": 1, "noDump": true, "docManagers": [{"__a": 1, "args": {"__b": 2, "c": 3}}]}')).toEqual({
      noDump: true,
      docManagers: [{ args: { c: 3 } }],
    });
  });

  it.each(['{"__mainAddress": "x"}', '{"namespaces": {"a.b": true}}', '{"namespaces": {"mapping": {}}}', '\uFEFF{"docManagers": []}'])(
    'recognises %s',
    (text) => expect(readMongoConnector(text)).toBeDefined(),
  );

  it.each(['{"namespaces": {"include": ["a.b"]}}', '{"logging": {"level": "info"}}', '[]', 'source:\n  uri: x', '', '{"noDump": }'])(
    'leaves %s to others',
    (text) => expect(readMongoConnector(text)).toBeUndefined(),
  );
});

describe('namespaces', () => {
  const namespaces = {
    'db.plain': true,
    'db.kept': { excludeFields: ['secret'] },
    'db.first*': {},
    'db.*': { rename: 'new.*', includeFields: ['a'] },
    'other.x': 'elsewhere.y',
    'gone.*': false,
    'gone.kept': true,
    'nothing.x': null,
  };

  it.each<[string, { name: string; fields?: unknown } | undefined]>([
    // The first rule that matches decides both name and fields: a plain one before a wildcard, wildcards in order.
    ['db.plain', { name: 'db.plain', fields: undefined }],
    ['db.kept', { name: 'db.kept', fields: { mode: 'exclude', paths: ['secret'] } }],
    ['db.first.and.more', { name: 'db.first.and.more', fields: undefined }],
    ['db.any', { name: 'new.any', fields: { mode: 'include', paths: ['a'] } }],
    ['other.x', { name: 'elsewhere.y', fields: undefined }],
    // Exclude beats include.
    ['gone.kept', undefined],
    ['nothing.x', undefined],
    ['unnamed.x', undefined],
  ])('%s', (name, expected) => expect(ruleOf(name, { namespaces })).toEqual(expected));

  it('leave out the collections of GridFS, unless a bucket is marked', () => {
    expect(ruleOf('a.fs.files', { namespaces: { 'a.*': true } })).toBeUndefined();
    expect(ruleOf('a.fs.chunks', {})).toBeUndefined();
    expect(ruleOf('a.fs.files', { namespaces: { 'a.fs.files': true } })).toBeDefined();
  });

  it('with nothing but exclusions include the rest', () => {
    expect(ruleOf('any.thing', { namespaces: { 'gone.*': false } })).toEqual({ name: 'any.thing', fields: undefined });
  });

  it('unite the fields of all with those of one', () => {
    expect(ruleOf('a.b', { fields: ['x'], namespaces: { 'a.b': { includeFields: ['y'] } } })?.fields).toEqual({
      mode: 'include',
      paths: ['x', 'y'],
    });
  });

  it('of two databases may go to one', () => {
    const both = { 'one.a': 'target.a', 'two.b': 'target.b' };
    expect(ruleOf('one.a', { namespaces: both })?.name).toBe('target.a');
    expect(ruleOf('two.b', { namespaces: both })?.name).toBe('target.b');
  });

  it('in the old form: what is mapped or a bucket is included by that', () => {
    const old = { include: ['a.b'], exclude: ['c.*'], mapping: { 'd.e': 'f.g' }, gridfs: ['h.fs'] };
    expect(nest(convert({ namespaces: old }).tree)['namespaces']).toEqual({
      include: ['a.b', 'd.e', 'h.fs'],
      exclude: ['c.*'],
      rename: { 'd.e': 'f.g' },
      gridfs: ['h.fs'],
    });
  });
});

describe('errors', () => {
  it.each<[string, string, Record<string, unknown>]>([
    ['TW1060', 'mainAddress', { mainAddress: 27017 }],
    ['TW1060', 'noDump must be true or false, not "yes"', { noDump: 'yes' }],
    ['TW1060', 'docManagers[0].bulkSize', { docManagers: [{ docManager: 'solr_doc_manager', bulkSize: 0 }] }],
    ['TW1060', 'authentication.password must be a text, not ***', { authentication: { adminUsername: 'u', password: 5 } }],
    ['TW1060', 'logging.type', { logging: { type: 'pigeon' } }],
    ['TW1060', 'ssl.sslCertificatePolicy must be one of required, optional, ignored', { ssl: { sslCertificatePolicy: 'never' } }],
    ['TW1060', 'namespaces.a.b.rename', { namespaces: { 'a.b': { rename: 5 } } }],
    ['TW1061', 'password', { authentication: { adminUsername: 'u' } }],
    ['TW1061', 'both', { authentication: { adminUsername: 'u', password: 'p', passwordFile: 'f' } }],
    ['TW1061', 'fields and exclude_fields', { fields: ['a'], exclude_fields: ['b'] }],
    ['TW1061', 'verbosity', { verbosity: 4 }],
    ['TW1061', 'sslKeyfile', { ssl: { sslKeyfile: 'k.pem' } }],
    ['TW1061', 'names a.b twice', { namespaces: { include: ['a.b', 'a.b'] } }],
    ['TW1061', 'old form', { namespaces: { include: ['a.b'], 'c.d': true } }],
    ['TW1061', 'both includes and excludes a.b', { namespaces: { include: ['a.b'], exclude: ['a.b'] } }],
    ['TW1010', 'a.*', { namespaces: { 'a.*': { gridfs: true } } }],
    ['TW1061', 'GridFS bucket a.fs', { namespaces: { 'a.fs': { gridfs: true, rename: 'b.fs' } } }],
    ['TW1061', 'docManagers[0].docManager is missing', { docManagers: [{ targetURL: 'x:1' }] }],
    ['TW1062', '"neo4j_doc_manager"', { docManagers: [{ docManager: 'neo4j_doc_manager' }] }],
    ['TW1062', 'docManagerClassPath', { docManagers: [{ docManagerClassPath: 'my.DocManager' }] }],
  ])('%s: %s', (code, text, config) => {
    expect(() => convert(config)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(text) as string }));
  });
});
