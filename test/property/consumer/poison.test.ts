// Whatever is in a topic, it ends no process: each record is a change, a refusal of one, or undecodable, at every stage up to a target's bytes.
import { compileFieldRules } from '@tailwater/runtime';
import { encodeChangeEvent, type Namespace, Position, tombstoneHeaders } from '@tailwater/schema';
import { ObjectId } from 'bson';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Change } from '#consumer/changes/change.js';
import { decodeRecord, UndecodableRecordError } from '#consumer/decode/decode-record.js';
import type { FetchedRecord } from '#consumer/subscribe/subscription.js';
import { documentId } from '#consumer/targets/document-id.js';
import { BulkBody } from '#consumer/targets/elasticsearch/bulk-body.js';
import { indexName } from '#consumer/targets/elasticsearch/index-name.js';
import { Commands } from '#consumer/targets/mongo/commands.js';
import { FieldTree } from '#consumer/targets/solr/field-tree.js';
import { NewFields } from '#consumer/targets/solr/new-fields.js';
import { UpdateBody } from '#consumer/targets/solr/update-body.js';
import { UnencodableChangeError } from '#consumer/targets/unencodable.js';
import { Destinations } from '#consumer/transform/destinations.js';
import { createTransform } from '#consumer/transform/transform.js';
import { everyType } from '#test/integration/consumer/support/bson-zoo.js';
import { schemaOf } from '#test/unit/consumer/apply/solr/support/schema-of.js';

const ORDERS: Namespace = { database: 'shop', collection: 'orders' };
const SOURCE = { topic: 'tw.shop.orders', partition: 0, namespace: ORDERS };
const POSITION = new Position(1_700_000_000, 1);
const DOCUMENT = everyType(new ObjectId('507f1f77bcf86cd799439011'));
const EVENT = {
  op: 'insert',
  origin: 'tail',
  namespace: ORDERS,
  position: POSITION,
  wallTimeMs: 0,
  transaction: null,
  updateDescription: null,
} as const;

type Mutation = readonly [at: number, bytes: Uint8Array, cut: boolean];

const mutation: fc.Arbitrary<Mutation> = fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 5 }), fc.boolean());

/** Other bytes at some places, perhaps with the rest cut off. */
function mutated(source: Buffer, mutations: readonly Mutation[]): Buffer {
  let bytes = Buffer.from(source);
  for (const [place, replacement, cut] of mutations) {
    const at = place % Math.max(1, bytes.length);
    bytes.set(replacement.subarray(0, bytes.length - at), at);
    if (cut && place % 7 === 0) bytes = bytes.subarray(0, at);
  }
  return bytes;
}

/** With the length that it has: so that decoding lets it through. */
function withLength(document: Buffer): Buffer {
  if (document.length >= 5) document.writeInt32LE(document.length);
  return document;
}

function deep(levels: number): Buffer {
  const open = Buffer.from('\x03a\0....', 'latin1');
  const bytes = Buffer.concat([Buffer.alloc(4), ...Array.from({ length: levels }, () => Buffer.from(open)), Buffer.alloc(levels + 1)]);
  for (let level = 0; level <= levels; level++) bytes.writeInt32LE(bytes.length - level * 8, level === 0 ? 0 : 4 + level * 7 - 4);
  return bytes;
}

const filters = [{ excludeFields: ['object.a', 'array.b', 'double'] }, { includeFields: ['object', 'documents.a', 'scoped.scope.x'] }];
const transforms = filters.map((fields) =>
  createTransform({ destinations: new Destinations((namespace) => namespace), fields: compileFieldRules(fields) }),
);
const bulk = new BulkBody(indexName);
const newFields = new NewFields();
const body = new UpdateBody((...unknown) => newFields.note(...unknown));
const numbers = { name: '*', type: 'pint' };
const layouts = [[numbers], [{ name: '*', type: 'string' }], [{ name: 'array', type: 'plong', multiValued: true }]].map(
  (dynamicFields) => ({
    own: { uniqueKey: 'id', namespace: undefined, versions: ['_ts'] },
    fields: new FieldTree(schemaOf({ dynamicFields }), new Set(['id'])),
  }),
);
const commands = [{}, { versionField: 'v', shardKeys: new Map([['shop.orders', ['object.a', 'array', 'string']]]) }].map(
  (settings) => new Commands(settings),
);

/** What becomes of a record, stage by stage: an exception that has no place here fails the test. */
function through(record: FetchedRecord): 'undecodable' | 'control' | 'refused' | 'written' {
  let change: Change | undefined;
  try {
    change = decodeRecord(record, SOURCE);
  } catch (error) {
    expect(error).toBeInstanceOf(UndecodableRecordError);
    return 'undecodable';
  }
  if (change === undefined) return 'control';
  let outcome: 'refused' | 'written' = 'written';
  for (const made of [change, ...transforms.map((transform) => transform(change as Change) as Change)]) {
    if (made.refusal !== undefined) {
      outcome = 'refused';
      continue;
    }
    try {
      for (const line of bulk.write([made]).toString('utf8').trimEnd().split('\n')) JSON.parse(line);
    } catch (error) {
      expect(error).toBeInstanceOf(UnencodableChangeError);
      outcome = 'refused';
    }
    for (const layout of layouts) {
      const written = body.write([made, { ...made, kind: 'delete', key: '"next"' }], layout, ({ key }) => documentId(key));
      JSON.parse(written.bytes.toString('utf8'));
      expect(written.refused.has(1)).toBe(false);
    }
    newFields.take(layouts[1]?.fields.schema as never);
    for (const each of commands) {
      const sent = each.of([made, { ...made, kind: 'delete', key: '"next"' }], (place) => expect(place).toBe(0));
      // The other change is whole, whatever became of this one.
      expect(sent.some(({ places }) => places.includes(1))).toBe(true);
      for (const { statements, places } of sent) expect(statements.count).toBe(places.length);
    }
  }
  return outcome;
}

test('documents with other bytes in them', () => {
  fc.assert(
    fc.property(fc.array(mutation, { maxLength: 6 }), (mutations) => {
      const document = withLength(mutated(DOCUMENT, mutations));
      const record = {
        key: Buffer.from('{"$oid":"507f1f77bcf86cd799439011"}'),
        value: encodeChangeEvent({ ...EVENT, document }),
        offset: '1',
      };
      const outcome = through(record);
      if (mutations.length === 0) expect(outcome).toBe('written');
    }),
    { numRuns: 1_000 },
  );
});

test('values and headers with other bytes in them', () => {
  const value = encodeChangeEvent({ ...EVENT, document: DOCUMENT });
  const headers = fc.dictionary(
    fc.constantFrom('tw-gridfs', 'tw-op', 'tw-position', 'tw-origin', 'x'),
    fc.oneof(fc.string(), fc.constantFrom('content', 'deleted')),
  );
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), headers, (mutations, each) => {
      through({ key: Buffer.from('1'), value: mutated(value, mutations), headers: each, offset: '1' });
    }),
    { numRuns: 700 },
  );
});

const EXTENDED = [
  '$oid',
  '$date',
  '$numberDouble',
  '$numberLong',
  '$numberDecimal',
  '$binary',
  '$timestamp',
  '$invalidUtf8',
  '$code',
  '$scope',
  '$dbPointer',
  '$regularExpression',
  '$x',
];
const keyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string(),
    fc.double(),
    fc.constantFrom(null, true, '2024-02-30', 'NaN', '1E99999'),
    fc.array(tie('value'), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...EXTENDED, 'base64', 'subType', 't', 'i', 'a'), tie('value'), { maxKeys: 3 }),
  ),
})).value;

test('keys of any kind', () => {
  const key = fc.oneof(
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
    keyValue.map((value) => Buffer.from(JSON.stringify(value))),
    fc
      .tuple(keyValue, fc.array(mutation, { maxLength: 2 }))
      .map(([value, mutations]) => mutated(Buffer.from(JSON.stringify(value)), mutations)),
  );
  const headers = tombstoneHeaders({ position: POSITION, origin: 'tail', wallTimeMs: 0 });
  fc.assert(
    fc.property(key, fc.boolean(), (each, isDelete) => {
      const value = isDelete ? null : encodeChangeEvent({ ...EVENT, document: DOCUMENT });
      through({ key: each, value, headers: isDelete ? headers : {}, offset: '1' });
    }),
    { numRuns: 1_000 },
  );
});

test.each([100, 200_000])('documents of %d levels', (levels) => {
  const record = { key: Buffer.from('1'), value: encodeChangeEvent({ ...EVENT, document: deep(levels) }), offset: '1' };
  expect(through(record)).toBe(levels === 100 ? 'written' : 'refused');
});
