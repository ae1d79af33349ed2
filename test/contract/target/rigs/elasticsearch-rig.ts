// Elasticsearch for the contract suite: an index for each namespace.
import { ElasticsearchTarget } from '@tailwater/consumer';
import { type Elasticsearch, startElasticsearch } from '@tailwater/devstack';
import { formatNamespace, type Namespace, recordKeyOf } from '@tailwater/schema';
import { documentId } from '#consumer/targets/document-id.js';
import type { Rig } from '../rig.js';

export async function startElasticsearchRig(version: 8 | 9): Promise<Rig> {
  const es = await startElasticsearch({ version });
  return {
    target: (settings = {}) => new ElasticsearchTarget({ url: es.url, connectTimeoutMs: 20_000, requestTimeoutMs: 30_000, ...settings }),
    port: es.port,
    urlAt: (port) => `http://127.0.0.1:${port}`,
    prepare: () => Promise.resolve(),
    async read(namespace, id) {
      const path = `${formatNamespace(namespace)}/_mget`;
      const answer = await request(es, path, post({ ids: [documentId(recordKeyOf(id))] }));
      // As text, so that every digit shows.
      return /"found":true,"_source":(.*)}\]}$/s.exec(answer ?? '')?.[1];
    },
    async count(namespace) {
      await request(es, `${formatNamespace(namespace)}/_refresh`, { method: 'POST' });
      const answer = await request(es, `${formatNamespace(namespace)}/_count`);
      return answer === undefined ? 0 : (JSON.parse(answer) as { count: number }).count;
    },
    refuseTextInN: async (namespace: Namespace) => {
      const body = { mappings: { properties: { n: { type: 'long' } } } };
      await request(es, formatNamespace(namespace), { ...post(body), method: 'PUT' });
    },
    kill: () => es.kill9(),
    start: () => es.start(),
    stop: () => es.stop(),
    expectations: {
      keepsStates: true,
      staleVersions: 'refused',
      textField: 'text',
      plain: (_, fields) => JSON.stringify(fields),
      everyType: () => EVERY_TYPE,
    },
  };
}

const post = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** The body of an answer; undefined when nothing is there. */
async function request(es: Elasticsearch, path: string, init?: RequestInit): Promise<string | undefined> {
  const response = await fetch(`${es.url}/${path}`, init);
  const text = await response.text();
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`${path}: ${text}`);
  return text;
}

const EVERY_TYPE = [
  '{"double":1.5',
  '"integralDouble":2.0',
  `"string":${JSON.stringify('täxt "quoted" \u0000 \u2028 😀')}`,
  '"object":{"a":1,"nested":{"_id":"inner"}}',
  '"array":[1,[2,null]],"documents":[{"a":"b"},{"a":null}]',
  '"binary":"AAEC/w=="',
  '"uuid":"3f2a0a2e-7a0b-4c1d-8e9f-0123456789ab"',
  '"objectId":"507f1f77bcf86cd799439011"',
  '"boolean":true',
  '"date":"2024-02-29T12:00:00.123Z"',
  '"oldDate":"-0001-01-01T00:00:00.000Z"',
  '"farDate":8640000000000000',
  '"nothing":null',
  '"notDefined":null',
  '"regex":"/^a.*b$/im"',
  '"dbRef":{"$ref":"orders","$id":"507f1f77bcf86cd799439011"}',
  '"code":"function () {}"',
  '"scoped":{"code":"f()","scope":{"x":1}}',
  '"symbol":"sym"',
  '"int32":-2147483648',
  '"timestamp":{"t":4000000000,"i":7}',
  '"int64":9007199254740993',
  '"decimal":"12345678901234567890.1234567890"',
  '"minKey":"MinKey"',
  '"maxKey":"MaxKey"',
  '"empty":{}',
  '"emptyArray":[]',
  '"dbPointer":{"$ref":"a.b","$id":"507f1f77bcf86cd799439011"}}',
].join(',');
