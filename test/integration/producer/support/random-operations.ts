// Operations that an application may ask a MongoDB for, at random: few ids and names, so that they meet, and names that are
// easily taken for something else (array indexes, marks of the oplog's diffs).
import fc from 'fast-check';
import {
  type AnyBulkWriteOperation,
  type ClientSession,
  type Collection,
  Double,
  Int32,
  Long,
  MongoBulkWriteError,
  type MongoClient,
  MongoServerError,
  ObjectId,
  UUID,
} from 'mongodb';

type Fields = Map<string, unknown>;
type Update = Record<string, unknown> | Record<string, unknown>[];

export type Operation =
  | { readonly kind: 'insert'; readonly ids: readonly number[]; readonly fields: Fields }
  | { readonly kind: 'update'; readonly id: number; readonly update: Update; readonly upsert: boolean }
  | { readonly kind: 'updateMany'; readonly update: Update }
  | { readonly kind: 'replace'; readonly id: number; readonly fields: Fields; readonly upsert: boolean }
  | { readonly kind: 'delete'; readonly id: number }
  | { readonly kind: 'deleteMany'; readonly below: number }
  | { readonly kind: 'findAndUpdate'; readonly id: number; readonly update: Update; readonly after: boolean; readonly upsert: boolean }
  | { readonly kind: 'findAndReplace'; readonly id: number; readonly fields: Fields }
  | { readonly kind: 'findAndDelete'; readonly id: number }
  | { readonly kind: 'bulk'; readonly operations: readonly Operation[] };

export interface Transaction {
  readonly kind: 'transaction';
  readonly operations: readonly Operation[];
  readonly ending: 'commit' | 'abort' | 'prepare and commit' | 'prepare and abort';
}

const IDS: readonly unknown[] = [
  1,
  Long.fromNumber(2),
  2.5,
  'three',
  new ObjectId('0123456789abcdef01234567'),
  { a: 1, b: 'x' },
  new Date(1_700_000_000_000),
  new UUID('0189c9f6-9b2c-7c9e-8d2f-3a5b7c9d1e0f'),
  null,
  true,
];

const name = fc.constantFrom('a', 'b', 'c', 'd', 'i', 'u', 's', 'l', 'sa', 'u0', '0', '1', '10', 'x y', 'ä');
const { value, object } = fc.letrec<{ value: unknown; array: unknown[]; object: Fields }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    fc.constantFrom<unknown>(
      null,
      true,
      new Int32(7),
      Long.fromNumber(7),
      new Double(7),
      0.5,
      'text',
      new Date(0),
      new ObjectId('a'.repeat(24)),
    ),
    fc.integer({ min: -5, max: 5 }),
    tie('array'),
    tie('object'),
  ),
  array: fc.array(tie('value'), { maxLength: 6 }),
  object: fc.uniqueArray(fc.tuple(name, tie('value')), { selector: ([key]) => key, maxLength: 4 }).map((entries) => new Map(entries)),
}));

const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => names.join('.'));
const oneOf = <T>(of: fc.Arbitrary<T>) => fc.tuple(path, of).map(([at, given]) => ({ [at]: given }));
const someOf = <T>(of: fc.Arbitrary<T>) =>
  fc.uniqueArray(fc.tuple(path, of), { selector: ([at]) => at, minLength: 1, maxLength: 4 }).map((entries) => new Map(entries));
const push = fc.record(
  { $each: fc.array(value, { maxLength: 3 }), $position: fc.nat(4), $slice: fc.integer({ min: -4, max: 4 }) },
  { requiredKeys: ['$each'] },
);
const variable = fc.constantFrom('a', 'b', 'c', 'd');
const shortened = fc
  .tuple(variable, fc.integer({ min: 1, max: 4 }))
  .map(([field, length]) => ({ [field]: { $cond: [{ $isArray: `$${field}` }, { $slice: [`$${field}`, length] }, [1, 2, 3]] } }));
const literal = fc.tuple(path, value).map(([at, given]) => ({ [at]: { $literal: given } }));

const update: fc.Arbitrary<Update> = fc.oneof(
  { weight: 4, arbitrary: someOf(value).map(($set) => ({ $set })) },
  { weight: 2, arbitrary: someOf(fc.constant('')).map(($unset) => ({ $unset })) },
  { weight: 2, arbitrary: fc.tuple(someOf(value), someOf(fc.constant(''))).map(([$set, $unset]) => ({ $set, $unset })) },
  { weight: 2, arbitrary: oneOf(push).map(($push) => ({ $push })) },
  { weight: 1, arbitrary: oneOf(fc.constantFrom(1, -1)).map(($pop) => ({ $pop })) },
  { weight: 1, arbitrary: oneOf(value).map(($pull) => ({ $pull })) },
  { weight: 1, arbitrary: someOf(fc.constantFrom<unknown>(1, new Double(0.5), Long.fromNumber(3))).map(($inc) => ({ $inc })) },
  { weight: 1, arbitrary: fc.tuple(path, path).map(([from, to]) => ({ $rename: { [from]: to } })) },
  {
    weight: 3,
    arbitrary: fc.array(fc.oneof(shortened, literal), { minLength: 1, maxLength: 3 }).map((stages) => stages.map(($set) => ({ $set }))),
  },
  { weight: 3, arbitrary: shortened.map(($set) => [{ $set }]) },
  { weight: 1, arbitrary: path.map(($unset) => [{ $unset }]) },
  { weight: 1, arbitrary: object.map((fields) => [{ $replaceWith: { $mergeObjects: ['$$ROOT', { $literal: fields }] } }]) },
);

const id = fc.nat(IDS.length - 1);
/** Arrays of some length at the top, so that there is something to push to and to cut. */
const fields = fc
  .tuple(object, fc.dictionary(variable, fc.array(value, { minLength: 2, maxLength: 6 }), { maxKeys: 3 }))
  .map(([some, arrays]) => new Map([...some, ...Object.entries(arrays), ['padding', 'x'.repeat(300)]]));

const single: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('insert' as const), ids: fc.uniqueArray(id, { minLength: 1, maxLength: 3 }), fields }),
  },
  { weight: 14, arbitrary: fc.record({ kind: fc.constant('update' as const), id, update, upsert: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('updateMany' as const), update }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('replace' as const), id, fields, upsert: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete' as const), id }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteMany' as const), below: fc.integer({ min: 0, max: 2 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('findAndUpdate' as const), id, update, after: fc.boolean(), upsert: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('findAndReplace' as const), id, fields }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('findAndDelete' as const), id }) },
);
const bulk = fc.record({ kind: fc.constant('bulk' as const), operations: fc.array(single, { minLength: 2, maxLength: 5 }) });
/** What nearly always succeeds: one operation that does not ends a transaction. */
const safe: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('replace' as const), id, fields, upsert: fc.constant(true) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('update' as const),
      id,
      update: fc.tuple(variable, name, value).map(([set, unset, given]) => [{ $set: { [set]: { $literal: given } } }, { $unset: unset }]),
      upsert: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('delete' as const, 'findAndDelete' as const), id }) },
);
const ending = fc.constantFrom<Transaction['ending']>('commit', 'commit', 'commit', 'abort', 'prepare and commit', 'prepare and abort');

export const operation: fc.Arbitrary<Operation | Transaction> = fc.oneof(
  { weight: 20, arbitrary: single },
  { weight: 2, arbitrary: bulk },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('transaction' as const),
      operations: fc.array(fc.oneof({ weight: 15, arbitrary: safe }, { weight: 1, arbitrary: single }), { minLength: 1, maxLength: 12 }),
      ending,
    }),
  },
);

/** Carries it out, and returns whether the server took it: many updates do not fit what they meet. */
export async function carryOut(client: MongoClient, collection: Collection, what: Operation | Transaction): Promise<boolean> {
  try {
    if (what.kind === 'transaction') await runTransaction(client, collection, what);
    else await run(collection, what);
    return true;
  } catch (error) {
    if (error instanceof MongoServerError || error instanceof MongoBulkWriteError) return false;
    throw error;
  }
}

async function runTransaction(client: MongoClient, collection: Collection, { operations, ending: end }: Transaction): Promise<void> {
  await client.withSession(async (session) => {
    session.startTransaction({ writeConcern: { w: 'majority' } });
    try {
      for (const each of operations) await run(collection, each, session);
      if (end === 'commit') return await session.commitTransaction();
      if (end.startsWith('prepare')) await prepare(client, session, end === 'prepare and commit');
    } finally {
      if (session.inTransaction()) await session.abortTransaction().catch(() => {});
    }
  });
}

/** As a coordinator of several shards does it: the driver only ever commits what is not prepared. */
export async function prepare(client: MongoClient, session: ClientSession, commits: boolean): Promise<void> {
  const admin = client.db('admin');
  const { prepareTimestamp } = await admin.command({ prepareTransaction: 1 }, { session });
  if (commits) await admin.command({ commitTransaction: 1, commitTimestamp: prepareTimestamp }, { session });
}

async function run(collection: Collection, what: Operation, session?: ClientSession): Promise<void> {
  const options = session === undefined ? {} : { session };
  switch (what.kind) {
    case 'insert':
      return void (await collection.insertMany(
        what.ids.map((each) => document(each, what.fields)),
        options,
      ));
    case 'update':
      return void (await collection.updateOne(byId(what.id), what.update, { ...options, upsert: what.upsert }));
    case 'updateMany':
      return void (await collection.updateMany({}, what.update, options));
    case 'replace':
      return void (await collection.replaceOne(byId(what.id), what.fields as never, { ...options, upsert: what.upsert }));
    case 'delete':
      return void (await collection.deleteOne(byId(what.id), options));
    case 'deleteMany':
      return void (await collection.deleteMany({ _id: { $lt: what.below } as never }, options));
    case 'findAndUpdate': {
      const { upsert, after } = what;
      const returnDocument = after ? 'after' : 'before';
      return void (await collection.findOneAndUpdate(byId(what.id), what.update, { ...options, upsert, returnDocument }));
    }
    case 'findAndReplace':
      return void (await collection.findOneAndReplace(byId(what.id), what.fields as never, options));
    case 'findAndDelete':
      return void (await collection.findOneAndDelete(byId(what.id), options));
    case 'bulk': {
      const operations = what.operations.flatMap(bulkOperations);
      if (operations.length > 0) await collection.bulkWrite(operations, { ...options, ordered: false });
      return;
    }
  }
}

function bulkOperations(what: Operation): AnyBulkWriteOperation[] {
  switch (what.kind) {
    case 'insert':
      return what.ids.map((each) => ({ insertOne: { document: document(each, what.fields) } }));
    case 'update':
      return [{ updateOne: { filter: byId(what.id), update: what.update, upsert: what.upsert } }];
    case 'replace':
      return [{ replaceOne: { filter: byId(what.id), replacement: what.fields as never, upsert: what.upsert } }];
    default:
      return 'id' in what ? [{ deleteOne: { filter: byId(what.id) } }] : [];
  }
}

const byId = (index: number) => ({ _id: IDS[index] as never });
const document = (index: number, some: Fields) => new Map([['_id', IDS[index]], ...some]) as never;
