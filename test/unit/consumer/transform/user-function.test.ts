import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BSON, Decimal128, type Document, Double, Int32, Long, ObjectId } from 'bson';
import { afterAll, describe, expect, it } from 'vitest';
import type { Change } from '#consumer/changes/change.js';
import { toBson, toObject } from '#consumer/transform/plain-document.js';
import { UserFunction } from '#consumer/transform/user-function.js';
import { everyType } from '#test/integration/consumer/support/bson-zoo.js';
import { change } from '../support/changes.js';

const directory = mkdtempSync(join(tmpdir(), 'transform-'));
afterAll(() => rmSync(directory, { recursive: true }));

let files = 0;
async function load(source: string): Promise<UserFunction> {
  files += 1;
  const file = join(directory, `${files}.mjs`);
  writeFileSync(file, source);
  return UserFunction.load(file);
}

const raw = (document: Document): Buffer => Buffer.from(BSON.serialize(document));
const upsert = (document: Document): Change => change(document['_id'], 5, { document: raw(document) });
const remove = (id: unknown): Change => change(id, 6, { kind: 'delete', op: 'delete', document: Buffer.alloc(0) });
/** The parts of a change as key and document; null for a delete. */
const outcome = (result: Change) =>
  [result, ...(result.parts ?? [])].map(({ key, kind, document }) => [key, kind === 'delete' ? null : BSON.deserialize(document)]);

describe('plain documents', () => {
  it('come back as they were, whatever their types', () => {
    const document = everyType(new ObjectId());
    const expected = BSON.serialize(BSON.deserialize(document, { promoteValues: false, bsonRegExp: true }), { ignoreUndefined: true });
    expect(toBson(toObject(document))).toEqual(Buffer.from(expected));
  });

  it('hold numbers that calculate', () => {
    const { n, x, whole, big } = toObject(raw({ n: new Int32(2), x: 2.5, whole: new Double(2), big: Long.fromString('9007199254740993') }));
    expect([n + 1, x * 2, whole * 2, big + 1n]).toEqual([3, 5, 4, 9007199254740994n]);
  });
});

describe('UserFunction', () => {
  it('makes another document of one, and keeps its _id', async () => {
    const each = await load('export default ({ _id, a }, { namespace, op }) => ({ sum: a + 1, namespace, op })');
    const result = each.apply(upsert({ _id: 7, a: 1 }));
    expect(outcome(result)).toEqual([['7', { _id: 7, sum: 2, namespace: 'shop.orders', op: 'insert' }]]);
    expect(result.refusal).toBeUndefined();
  });

  it('null is a delete, because an earlier version may be at the target', async () => {
    const each = await load('export default () => null');
    expect(outcome(each.apply(upsert({ _id: 7 })))).toEqual([['7', null]]);
  });

  it('does not hear of deletes', async () => {
    const each = await load('export default () => { throw new Error() }');
    expect(outcome(each.apply(remove(7)))).toEqual([['7', null]]);
  });

  it('makes several documents, and what it makes no more is deleted', async () => {
    const each = await load(
      `export const ids = (id) => [0, 1, 2].map((n) => id + ':' + n);
       export default (order) => order.lines.map((line, n) => ({ _id: order._id + ':' + n, line }))`,
    );
    const expected = [
      ['"o"', null],
      ['"o:0"', { _id: 'o:0', line: 'x' }],
      ['"o:1"', { _id: 'o:1', line: 'y' }],
      ['"o:2"', null],
    ];
    expect(outcome(each.apply(upsert({ _id: 'o', lines: ['x', 'y'] })))).toEqual(expected);
    expect(outcome(each.apply(remove('o')))).toEqual(expected.map(([key]) => [key, null]));
  });

  it.each([
    ['throws', 'export default () => { throw new Error("no price") }', 'no price'],
    ['gives nothing', 'export default () => {}', 'it gave nothing'],
    ['gives a text', 'export default () => "x"', 'it gave a string'],
    ['gives a promise', 'export default () => Promise.resolve({})', 'it gave a promise'],
    ['gives an _id that nobody could delete', 'export default () => ({ _id: 8 })', 'the _id 8'],
    ['gives an _id twice', 'export default (d) => [d, d]', 'two documents'],
    ['names ids that are no array', 'export const ids = () => 5; export default (d) => d', 'no array'],
    ['gives what BSON cannot hold', 'export default (d) => { d.self = d; return d; }', ''],
  ])('one that %s refuses the change with the reason', async (_, source, reason) => {
    const { refusal, parts } = (await load(source)).apply(upsert({ _id: 7 }));
    expect(refusal).toMatchObject({ code: 'TW1375', reason: expect.stringContaining(reason) });
    expect(parts).toBeUndefined();
  });

  it('leaves types alone that it does not touch', async () => {
    const document = {
      _id: new ObjectId(),
      price: Decimal128.fromString('1.50'),
      whole: new Double(3),
      n: new Int32(4),
      big: Long.MAX_VALUE,
    };
    const result = (await load('export default (d) => { d.added = 1; return d; }')).apply(upsert(document));
    expect(result.document).toEqual(raw({ ...document, added: new Int32(1) }));
  });

  it.each([
    ['TW1374', 'export default 5'],
    ['TW1374', 'export const transform = () => null'],
    ['TW1374', 'export default async (d) => d'],
    ['TW1374', 'export const ids = 5; export default (d) => d'],
    ['TW1373', 'export default ('],
  ])('%s: %s', async (code, source) => {
    await expect(load(source)).rejects.toMatchObject({ code });
  });

  it('TW1373: a file that is not there', async () => {
    await expect(UserFunction.load(join(directory, 'none.js'))).rejects.toMatchObject({ code: 'TW1373' });
  });
});
