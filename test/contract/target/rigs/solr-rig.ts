// Solr for the contract suite: one core for all namespaces, whose schema has a field for everything in the documents.
import { SolrTarget } from '@tailwater/consumer';
import { type Solr, startSolr } from '@tailwater/devstack';
import { formatNamespace, type Namespace, recordKeyOf } from '@tailwater/schema';
import { documentId } from '#consumer/targets/document-id.js';
import type { Rig } from '../rig.js';

const CORE = 'contract';

const field = (name: string, type: string, multiValued = false) => ({ name, type, multiValued });
const FIELDS = [
  field('ns', 'string'),
  field('_ts', 'plong'),
  field('n', 'plong'),
  field('sequence', 'plong'),
  field('text', 'text_general'),
  field('double', 'pdouble'),
  field('integralDouble', 'pdouble'),
  field('string', 'string'),
  field('object.a', 'plong'),
  field('object.nested._id', 'string'),
  field('array', 'plong', true),
  field('array.1', 'plong', true),
  ...['binary', 'uuid', 'objectId', 'regex', 'code', 'scoped.code', 'symbol', 'decimal', 'minKey', 'maxKey'].map((name) =>
    field(name, 'string'),
  ),
  field('boolean', 'boolean'),
  ...['date', 'oldDate', 'farDate'].map((name) => field(name, 'pdate')),
  ...['nothing', 'notDefined', 'empty', 'emptyArray'].map((name) => field(name, 'string')),
  ...['scoped.scope.x', 'int32', 'int64', 'timestamp.t', 'timestamp.i'].map((name) => field(name, 'plong')),
];
/** A glob at either end. */
const DYNAMIC_FIELDS = [field('documents.*', 'string'), field('*.$ref', 'string'), field('*.$id', 'string')];

export async function startSolrRig(mode: 'standalone' | 'cloud', chain?: 'versioned'): Promise<Rig> {
  const solr = await startSolr({ mode });
  await solr.create(CORE, mode === 'cloud' ? { shards: 2 } : {});
  await request(solr, `${CORE}/schema`, { 'add-field': FIELDS, 'add-dynamic-field': DYNAMIC_FIELDS });
  const idOf = (namespace: Namespace, id: unknown) => `${formatNamespace(namespace)}/${documentId(recordKeyOf(id))}`;
  return {
    target: (settings = {}) =>
      new SolrTarget({
        url: `${solr.url}/${CORE}`,
        connectTimeoutMs: 20_000,
        requestTimeoutMs: 30_000,
        autoCommitInterval: undefined,
        schema: 'drop',
        ids: 'namespaced',
        updateChain: chain,
        versionField: chain === 'versioned' ? 'source_version_l' : undefined,
        deleteVersionParameter: 'del_version',
        uniqueKey: undefined,
        ...settings,
      }),
    port: solr.port,
    urlAt: (port) => `http://127.0.0.1:${port}/solr/${CORE}`,
    prepare: () => Promise.resolve(),
    // The real-time get sees what is not committed yet.
    async read(namespace, id) {
      const answer = await request(solr, `${CORE}/get?${new URLSearchParams({ id: idOf(namespace, id), wt: 'json', indent: 'off' })}`);
      const document = /^{\s*"doc":(.*)}\s*$/s.exec(answer)?.[1]?.trim() ?? '';
      const fields = document === 'null' ? {} : fieldsOf(document);
      // The versioned chain keeps the version of what was deleted.
      return Object.keys(fields).length === 0 ? undefined : fields;
    },
    async count(namespace) {
      await request(solr, `${CORE}/update?commit=true`, {});
      const query = new URLSearchParams({ q: `{!term f=ns}${formatNamespace(namespace)}`, rows: '0', wt: 'json' });
      const answer = JSON.parse(await request(solr, `${CORE}/select?${query}`)) as { response: { numFound: number } };
      return answer.response.numFound;
    },
    kill: () => solr.kill9(),
    start: () => solr.start(),
    stop: () => solr.stop(),
    // The type of the field sees to it.
    refuseTextInN: () => Promise.resolve(),
    expectations: {
      keepsStates: true,
      staleVersions: chain === 'versioned' ? 'ignored' : 'ordered',
      textField: 'text',
      plain: (_, fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, tagged(value)])),
      everyType: () => EVERY_TYPE,
    },
  };
}

async function request(solr: Solr, path: string, body?: object): Promise<string> {
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  const response = await fetch(`${solr.url}/${path}`, body === undefined ? {} : post);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${text}`);
  return text;
}

/** Numbers as their digits: `_version_` and int64 exceed what a JavaScript number holds. What the consumer and Solr add is left out. */
function fieldsOf(json: string): Record<string, unknown> {
  const digits = json.replace(/"(?:[^"\\]+|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g, (token) =>
    token.startsWith('"') ? token : `"#${token}"`,
  );
  const { id: _id, ns: _ns, _ts, _version_, source_version_l: _v, ...fields } = JSON.parse(digits) as Record<string, unknown>;
  return fields;
}

const tagged = (value: unknown): unknown => (typeof value === 'number' ? `#${value}` : value);

const EVERY_TYPE = {
  double: '#1.5',
  integralDouble: '#2.0',
  string: 'täxt "quoted" \u0000 \u2028 😀',
  'object.a': '#1',
  'object.nested._id': 'inner',
  array: ['#1'],
  'array.1': ['#2'],
  'documents.0.a': 'b',
  binary: 'AAEC/w==',
  uuid: '3f2a0a2e-7a0b-4c1d-8e9f-0123456789ab',
  objectId: '507f1f77bcf86cd799439011',
  boolean: true,
  date: '2024-02-29T12:00:00.123Z',
  oldDate: '-0001-01-01T00:00:00Z',
  farDate: '+275760-09-13T00:00:00Z',
  regex: '/^a.*b$/im',
  'dbRef.$ref': 'orders',
  'dbRef.$id': '507f1f77bcf86cd799439011',
  code: 'function () {}',
  'scoped.code': 'f()',
  'scoped.scope.x': '#1',
  symbol: 'sym',
  int32: '#-2147483648',
  'timestamp.t': '#4000000000',
  'timestamp.i': '#7',
  int64: '#9007199254740993',
  decimal: '12345678901234567890.1234567890',
  minKey: 'MinKey',
  maxKey: 'MaxKey',
  'dbPointer.$ref': 'a.b',
  'dbPointer.$id': '507f1f77bcf86cd799439011',
};
