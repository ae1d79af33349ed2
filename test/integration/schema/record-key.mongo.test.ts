// Promise B against the server itself: of a few thousand pairs of ids, mongod's unique indexes refuse exactly those
// whose record key they already hold.
import { type Mongo, startMongo } from '@tailwater/devstack';
import { findId, type RawValue, recordKey } from '@tailwater/schema';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { arbitraryIdPair } from '#test/property/schema/ids/arbitrary-id.js';
import { contains, fieldsOf, type Id } from '#test/property/schema/ids/id.js';
import { documentOf, documentWithId } from '#test/property/schema/ids/id-bson.js';
import { RawConnection } from './raw-connection.js';

const DUPLICATE_KEY = 11000;
const DATABASE = 'keys';
const PAIRS_AT_ONCE = 100;
const ROUNDS = 100;

let mongo: Mongo | undefined;
let connection: RawConnection;

beforeAll(async () => {
  mongo = await startMongo();
  connection = await RawConnection.open(mongo.port);
  await connection.command({ createIndexes: 'fields', indexes: [{ key: { field: 1 }, name: 'field', unique: true }], $db: DATABASE });
});

afterAll(async () => {
  connection?.close();
  await mongo?.stop();
});

it('agrees with the index on _id', async () => {
  const storablePair = arbitraryIdPair.filter(([a, b]) => isStorable(a) && isStorable(b));
  await expectAgreement('ids', storablePair, documentWithId);
});

it('agrees with a unique index about the types that may not be an _id', async () => {
  // In a document of its own, so that the index takes an array as one value.
  await expectAgreement('fields', arbitraryIdPair, (id) => {
    const value: Id = { kind: 'object', fields: [[Buffer.from('id'), id]] };
    return documentOf([[Buffer.from('field'), value]]);
  });
});

/** Inserts many pairs at once: each id is then held against every other one, not only against its twin. */
async function expectAgreement(collection: string, pair: fc.Arbitrary<readonly [Id, Id]>, document: (id: Id) => Buffer): Promise<void> {
  let refused = 0;
  let accepted = 0;
  await fc.assert(
    fc
      .asyncProperty(fc.array(pair, { minLength: 1, maxLength: PAIRS_AT_ONCE, size: 'max' }), async (pairs) => {
        const ids = pairs.flat();
        const errors = await connection.insert(DATABASE, collection, ids.map(document));
        expect(errors.filter((error) => error.code !== DUPLICATE_KEY)).toEqual([]);
        expect(keysAt(ids, new Set(errors.map((error) => error.index)))).toEqual(keysAt(ids, repeated(ids.map(keyOf))));
        refused += errors.length;
        accepted += ids.length - errors.length;
      })
      .afterEach(() => connection.command({ delete: collection, deletes: [{ q: {}, limit: 0 }], $db: DATABASE })),
    { numRuns: ROUNDS },
  );
  // Both answers were put to the test.
  expect(refused).toBeGreaterThan(500);
  expect(accepted).toBeGreaterThan(500);
}

function keyOf(id: Id): string {
  const document = documentWithId(id);
  const { type, start } = findId(document) as RawValue;
  return recordKey(document, type, start);
}

/** Where a key stands that stood before. */
function repeated(keys: readonly string[]): Set<number> {
  const seen = new Set<string>();
  const found = new Set<number>();
  for (const [index, key] of keys.entries()) {
    if (seen.has(key)) found.add(index);
    seen.add(key);
  }
  return found;
}

/** The keys at these places, for a message that says which ids are disputed. */
const keysAt = (ids: readonly Id[], places: ReadonlySet<number>): string[] =>
  ids.flatMap((id, index) => (places.has(index) ? [`${index} ${id.kind} ${keyOf(id)}`] : []));

/** What mongod takes as an `_id`: no array, regular expression or undefined, and no field that begins with a dollar sign. */
function isStorable(id: Id): boolean {
  if (id.kind === 'array' || id.kind === 'regex' || id.kind === 'undefined') return false;
  return !contains(id, (inner) => fieldsOf(inner).some(([name]) => name[0] === 0x24));
}
