import { compileNamespaceRules } from '@tailwater/runtime';
import { BSON, Int32, Long, ObjectId, Timestamp, UUID } from 'bson';
import { describe, expect, it } from 'vitest';
import { entry, raw, T } from '#test/unit/producer/support/entries.js';
import { Normalizing } from '#test/unit/producer/support/normalizing.js';

const SESSION = new UUID('0189c9f6-9b2c-7c9e-8d2f-3a5b7c9d1e0f');
const NO_PREVIOUS = { ts: new Timestamp({ t: 0, i: 0 }), t: Long.fromNumber(-1) };
const PREVIOUS = { ts: new Timestamp({ t: T - 1, i: 4 }), t: Long.fromNumber(1) };

const inner = (op: string, o: BSON.Document, more: BSON.Document = {}): BSON.Document => ({
  op,
  ns: 'shop.orders',
  ui: new UUID(),
  o,
  ...more,
});

/** An applyOps entry, as a transaction or in its likeness. */
const applyOps = (operations: BSON.Document[], more: BSON.Document = {}, o: BSON.Document = {}): Buffer =>
  entry({ op: 'c', ns: 'admin.$cmd', o: { applyOps: operations, ...o }, more });
const inTransaction = (prevOpTime: BSON.Document = NO_PREVIOUS): BSON.Document => ({
  lsid: { id: SESSION, uid: new BSON.Binary(Buffer.alloc(32)) },
  txnNumber: Long.fromNumber(12),
  prevOpTime,
});

describe('single operations', () => {
  it.each([
    ['insert', { op: 'i', o: { _id: 5, a: 1 }, o2: { _id: 5 } }, raw({ _id: 5, a: 1 })],
    ['replace', { op: 'u', o: { _id: 5, a: 2 }, o2: { _id: 5 } }, raw({ _id: 5, a: 2 })],
    ['update', { op: 'u', o: { $v: new Int32(1), $set: { a: 3 } }, o2: { _id: 5 } }, undefined],
    ['update', { op: 'u', o: { $v: new Int32(2), diff: { i: { a: 3 } } }, o2: { _id: 5 } }, undefined],
    ['update', { op: 'u', o: { $set: { a: 3 } }, o2: { _id: 5 } }, undefined],
    ['delete', { op: 'd', o: { _id: 5 } }, undefined],
    ['delete', { op: 'd', o: { region: 'eu', _id: 5 } }, undefined],
    ['update', { op: 'u', o: { $v: new Int32(2), diff: { d: { a: false } } }, o2: { region: 'eu', _id: 5 } }, undefined],
  ])('%s: %j', (op, options, document) => {
    const [change] = new Normalizing().take(entry(options)).changes();
    expect(change).toMatchObject({ op, namespace: 'shop.orders', key: '5', position: `${T}:1`, wallTimeMs: T * 1000 + 250 });
    expect(change?.document).toEqual(document);
    expect(change?.transaction).toBeNull();
  });

  it('takes a document whose fields begin with a dollar behind its _id for a replacement', () => {
    const [change] = new Normalizing().take(entry({ op: 'u', o: { _id: 5, $price: 1 }, o2: { _id: 5 } })).changes();
    expect(change?.op).toBe('replace');
  });

  it('finds the _id of a replacement in the document where the entry names it nowhere else', () => {
    const [change] = new Normalizing().take(entry({ op: 'u', o: { _id: 5, a: 2 } })).changes();
    expect(change).toMatchObject({ op: 'replace', key: '5' });
  });

  it('appends to what is there, and reuses rows after a clear', () => {
    const normalizing = new Normalizing();
    normalizing.take(entry({ i: 1, o: { _id: 'a' } }), entry({ i: 2, o: { _id: 'b' } })).take(entry({ i: 3, op: 'd', o: { _id: 'a' } }));
    expect(normalizing.changes().map(({ op, key }) => `${op} ${key}`)).toEqual(['insert "a"', 'insert "b"', 'delete "a"']);
    normalizing.rows.clear();
    expect(normalizing.take(entry({ i: 4, op: 'd', o: { _id: 'c' } })).changes()).toHaveLength(1);
    expect(normalizing.changes()[0]).toMatchObject({ op: 'delete', key: '"c"', document: undefined });
  });
});

describe('what is left out', () => {
  it('counts events of namespaces that are not included', () => {
    const { counters, rows } = new Normalizing(compileNamespaceRules({ include: ['shop.*'] })).take(
      entry({ ns: 'shop.orders' }),
      entry({ ns: 'stock.items' }),
      entry({ ns: 'shop.system.views', op: 'd' }),
    );
    expect([rows.length, counters.events, counters.filtered]).toEqual([1, 3, 2]);
  });

  it('counts what the balancer moves, alone or in an applyOps', () => {
    const moved = { fromMigrate: true };
    const { counters, rows } = new Normalizing().take(
      entry({ more: moved }),
      entry({ op: 'd', more: moved }),
      entry({ more: { fromMigrate: false } }),
      applyOps([inner('i', { _id: 1 }, moved), inner('i', { _id: 2 })]),
      applyOps([inner('i', { _id: 3 }), inner('i', { _id: 4 })], { ...moved, multiOpType: new Int32(1) }),
    );
    expect([rows.length, counters.events, counters.filtered]).toEqual([2, 7, 5]);
  });

  it('leaves open whether a delete of one shard is that of the last document with its _id', () => {
    const deletes = [entry({ op: 'd' }), applyOps([inner('d', { region: 'eu', _id: 2 })], inTransaction())];
    expect(
      new Normalizing(undefined, true)
        .take(...deletes)
        .changes()
        .map(({ op, key }) => [op, key]),
    ).toEqual([
      ['leave', '1'],
      ['leave', '2'],
    ]);
  });

  it('counts noops, with and without the image of a retryable write', () => {
    const { counters, rows } = new Normalizing().take(
      entry({ op: 'n', ns: '', o: { msg: 'periodic noop' } }),
      entry({ op: 'n', ns: 'shop.orders', o: { _id: 1, before: true } }),
      applyOps([{ op: 'n', ns: '', o: { msg: 'x' } }]),
    );
    expect([rows.length, counters.noops, counters.events]).toEqual([0, 3, 0]);
  });

  it('counts unknown kinds, and logs each once', () => {
    const { counters, log, rows } = new Normalizing().take(
      entry({ op: 'x', i: 1 }),
      entry({ op: 'x', i: 2 }),
      entry({ op: 'xi', i: 3 }),
      entry({ op: 'db', i: 4, o: { _id: 1 } }),
      entry({ op: 'c', ns: 'shop.$cmd', o: { importCollection: 'orders' }, i: 5 }),
      entry({ op: 'c', ns: 'shop.$cmd', o: { importCollection: 'others' }, i: 6 }),
      entry({ op: 'i', o: { a: 1 }, i: 7 }),
    );
    const unknown = {
      'op x': 2,
      'op xi': 1,
      'op db': 1,
      'command importCollection': 2,
      'i without _id': 1,
    };
    expect(Object.fromEntries(counters.unknownByKind)).toEqual(unknown);
    expect(log.map(({ level, kind }) => [level, kind])).toEqual(Object.keys(unknown).map((kind) => ['warn', kind]));
    expect(log[0]).toMatchObject({ position: `${T}:1`, namespace: 'shop.orders' });
    expect(counters.events).toBe(rows.length + counters.filtered);
  });

  it('stops at nothing that it does not know', () => {
    const { rows } = new Normalizing().take(entry({ op: 'x' }), entry({ op: 'c', o: {} }), entry({ o: { _id: 'behind' } }));
    expect(rows.key.slice(0, rows.length)).toEqual(['"behind"']);
  });
});

describe('commands', () => {
  const rules = compileNamespaceRules({ include: ['shop.*'] });
  const command = (o: BSON.Document, ns = 'shop.$cmd', i = 1): Buffer => entry({ op: 'c', ns, o, i });

  it('hands on those that change which documents exist', () => {
    const { rows, counters } = new Normalizing(rules).take(
      command({ create: 'orders', idIndex: {} }),
      command({ drop: 'orders' }, 'shop.$cmd', 2),
      command({ renameCollection: 'shop.orders', to: 'shop.archive.2024', stayTemp: false }, 'shop.$cmd', 3),
    );
    expect(rows.commands.map(({ kind, namespace, to, i }) => [kind, namespace.name, to?.name, i])).toEqual([
      ['create', 'shop.orders', undefined, 1],
      ['drop', 'shop.orders', undefined, 2],
      ['rename', 'shop.orders', 'shop.archive.2024', 3],
    ]);
    expect(rows.commands[0]).toMatchObject({ t: T, wallTimeMs: T * 1000 + 250 });
    expect([counters.commands, counters.events, rows.length]).toEqual([3, 0, 0]);
  });

  it('looks at both names of a rename', () => {
    const { rows, counters } = new Normalizing(rules).take(
      command({ renameCollection: 'tmp.a', to: 'shop.b' }),
      command({ renameCollection: 'shop.a', to: 'tmp.b' }),
      command({ renameCollection: 'tmp.a', to: 'tmp.b' }),
    );
    expect(rows.commands.map(({ namespace, to }) => [namespace.included, to?.included])).toEqual([
      [false, true],
      [true, false],
    ]);
    expect(counters.commands).toBe(3);
  });

  it('takes a collection that lost documents without a delete of each for a dropped one', () => {
    const { rows } = new Normalizing(rules).take(
      command({ emptycapped: 'log' }),
      command({ convertToCapped: 'orders', size: 4096 }, 'shop.$cmd', 2),
    );
    expect(rows.commands.map(({ kind, namespace }) => [kind, namespace.name])).toEqual([
      ['drop', 'shop.log'],
      ['drop', 'shop.orders'],
    ]);
  });

  it('only counts those of namespaces that are not included, and those that change no document', () => {
    const { rows, counters } = new Normalizing(rules).take(
      command({ create: 'items' }, 'stock.$cmd'),
      command({ drop: 'items' }, 'stock.$cmd'),
      command({ createIndexes: 'orders', v: new Int32(2), key: { a: 1 }, name: 'a_1' }),
      command({ dropIndexes: 'orders' }),
      command({ collMod: 'orders' }),
      command({ startIndexBuild: 'orders', indexes: [] }),
      command({ commitIndexBuild: 'orders', indexes: [] }),
      command({ abortIndexBuild: 'orders', indexes: [] }),
      command({ dropDatabase: new Int32(1) }),
    );
    expect(rows.commands).toEqual([]);
    expect([counters.commands, counters.unknownByKind.size]).toEqual([9, 0]);
  });
});

describe('operations in one entry', () => {
  it('yields those of a transaction with their ordinals and the transaction', () => {
    const id = new ObjectId();
    const normalizing = new Normalizing(compileNamespaceRules({ include: ['shop.*'] })).take(
      applyOps(
        [
          inner('i', { _id: id, a: 1 }),
          { ...inner('i', { _id: 9 }), ns: 'stock.items' },
          inner('u', { $v: new Int32(2), diff: { u: { a: 2 } } }, { o2: { _id: id } }),
          inner('d', { region: 'eu', _id: 3 }),
        ],
        inTransaction(),
      ),
    );
    const transaction = `${SESSION.toHexString(false)}:12`;
    expect(normalizing.changes().map(({ op, key, position, transaction: ref }) => [op, key, position, ref])).toEqual([
      ['insert', `{"$oid":"${id.toHexString()}"}`, `${T}:1`, { id: transaction, index: 0 }],
      ['update', `{"$oid":"${id.toHexString()}"}`, `${T}:1:2`, { id: transaction, index: 2 }],
      ['delete', '3', `${T}:1:3`, { id: transaction, index: 3 }],
    ]);
    expect(normalizing.counters).toMatchObject({ events: 4, filtered: 1, commands: 0 });
    expect(normalizing.changes().map(({ wallTimeMs }) => wallTimeMs)).toEqual([T, T, T].map((t) => t * 1000 + 250));
  });

  it('takes commands and further applyOps among them', () => {
    const nested = { op: 'c', ns: 'admin.$cmd', o: { applyOps: [inner('i', { _id: 2 }), inner('d', { _id: 1 })] } };
    const normalizing = new Normalizing().take(
      applyOps([
        { op: 'c', ns: 'shop.$cmd', o: { drop: 'orders' } },
        { op: 'c', ns: 'shop.$cmd', o: { create: 'orders' } },
        inner('i', { _id: 1 }),
        nested,
        { op: 'c', ns: 'shop.$cmd', o: { collMod: 'orders' } },
        inner('i', { _id: 3 }),
      ]),
    );
    expect(normalizing.changes().map(({ op, key, position }) => [op, key, position])).toEqual([
      ['insert', '1', `${T}:1:2`],
      ['insert', '2', `${T}:1:3`],
      ['delete', '1', `${T}:1:4`],
      ['insert', '3', `${T}:1:6`],
    ]);
    expect(normalizing.rows.commands.map(({ kind, t, i }) => [kind, t, i])).toEqual([
      ['drop', T, 1],
      ['create', T, 1],
    ]);
    expect([normalizing.counters.commands, normalizing.counters.unknownByKind.size]).toEqual([3, 0]);
  });

  it('takes an applyOps without a session for no transaction', () => {
    const changes = new Normalizing().take(applyOps([inner('i', { _id: 1 }), inner('d', { _id: 2 })])).changes();
    expect(changes.map(({ key, position, transaction }) => [key, position, transaction])).toEqual([
      ['1', `${T}:1`, null],
      ['2', `${T}:1:1`, null],
    ]);
  });

  it.each([
    ['the first of its session', NO_PREVIOUS],
    // The next statement of the same retryable write: it is complete, however it looks.
    ['one behind another write of its session', PREVIOUS],
  ])('takes a vectored insert for no transaction: %s', (_, previous) => {
    const vectored = new Normalizing().take(
      applyOps([inner('i', { _id: 100 }, { stmtId: new Int32(0) }), inner('i', { _id: 200 }, { stmtId: new Int32(1) })], {
        ...inTransaction(previous),
        multiOpType: new Int32(1),
      }),
    );
    expect(vectored.changes().map(({ op, key, position, transaction }) => [op, key, position, transaction])).toEqual([
      ['insert', '100', `${T}:1`, null],
      ['insert', '200', `${T}:1:1`, null],
    ]);
    expect(vectored.counters.unknownByKind.size).toBe(0);
  });
});

describe('a transaction in several entries', () => {
  const at = (i: number): BSON.Document => ({ ts: new Timestamp({ t: T, i }), t: Long.fromNumber(1) });
  const transaction = `${SESSION.toHexString(false)}:12`;
  const part = (i: number, operations: BSON.Document[], o: BSON.Document, previous: BSON.Document): Buffer =>
    entry({ op: 'c', ns: 'admin.$cmd', o: { applyOps: operations, ...o }, i, more: inTransaction(previous) });
  const decision = (i: number, o: BSON.Document, previous: BSON.Document): Buffer =>
    entry({ op: 'c', ns: 'admin.$cmd', o, i, more: inTransaction(previous) });
  const seen = (normalizing: Normalizing) =>
    normalizing.changes().map(({ op, key, position, transaction: ref }) => [op, key, position, ref?.index]);

  it('happens at its last entry, its operations in order', () => {
    const normalizing = new Normalizing().take(
      part(1, [inner('i', { _id: 1 }), inner('i', { _id: 2 })], { partialTxn: true }, NO_PREVIOUS),
      entry({ i: 2, o: { _id: 'between' } }),
      part(3, [inner('d', { _id: 1 })], { partialTxn: true }, at(1)),
    );
    expect(seen(normalizing)).toEqual([['insert', '"between"', `${T}:2`, undefined]]);
    normalizing.take(
      part(4, [inner('u', { _id: 2, a: 1 }, { o2: { _id: 2 } }), inner('i', { _id: 3 })], { count: Long.fromNumber(5) }, at(3)),
      entry({ i: 5, o: { _id: 'behind' } }),
    );
    expect(seen(normalizing)).toEqual([
      ['insert', '"between"', `${T}:2`, undefined],
      ['insert', '1', `${T}:4`, 0],
      ['insert', '2', `${T}:4:1`, 1],
      ['delete', '1', `${T}:4:2`, 2],
      ['replace', '2', `${T}:4:3`, 3],
      ['insert', '3', `${T}:4:4`, 4],
      ['insert', '"behind"', `${T}:5`, undefined],
    ]);
    expect(normalizing.changes()[3]?.transaction?.id).toBe(transaction);
    expect(normalizing.counters).toMatchObject({ events: 7, filtered: 0, commands: 0 });
    expect(normalizing.counters.unknownByKind.size).toBe(0);
  });

  it.each([
    ['in one entry', [part(1, [inner('i', { _id: 1 }), inner('i', { _id: 2 })], { prepare: true }, NO_PREVIOUS)], at(1)],
    [
      'in several',
      [
        part(1, [inner('i', { _id: 1 })], { partialTxn: true }, NO_PREVIOUS),
        part(2, [inner('i', { _id: 2 })], { prepare: true, count: Long.fromNumber(2) }, at(1)),
      ],
      at(2),
    ],
  ])('prepared %s, happens when it is committed, and never when it is not', (_, prepared, last) => {
    const committed = new Normalizing().take(...prepared, entry({ i: 6, o: { _id: 'between' } }));
    expect(committed.rows.length).toBe(1);
    committed.take(decision(8, { commitTransaction: new Int32(1), commitTimestamp: new Timestamp({ t: T, i: 6 }) }, last));
    expect(seen(committed).slice(1)).toEqual([
      ['insert', '1', `${T}:8`, 0],
      ['insert', '2', `${T}:8:1`, 1],
    ]);
    expect(committed.counters).toMatchObject({ events: 3, commands: 1 });
    const aborted = new Normalizing().take(...prepared, decision(8, { abortTransaction: new Int32(1) }, last));
    expect([aborted.rows.length, aborted.counters.events, aborted.counters.commands]).toEqual([0, 0, 1]);
    expect([...committed.counters.unknownByKind.keys(), ...aborted.counters.unknownByKind.keys()]).toEqual([]);
  });

  it('needs no session: large deletes of newer servers have none', () => {
    const batched = (i: number, id: number, o: BSON.Document, prevOpTime: BSON.Document): Buffer =>
      entry({ op: 'c', ns: 'admin.$cmd', o: { applyOps: [inner('d', { _id: id })], ...o }, i, more: { prevOpTime } });
    const normalizing = new Normalizing().take(
      batched(1, 1, { partialTxn: true }, NO_PREVIOUS),
      batched(2, 2, { count: Long.fromNumber(2) }, at(1)),
    );
    expect(seen(normalizing)).toEqual([
      ['delete', '1', `${T}:2`, undefined],
      ['delete', '2', `${T}:2:1`, undefined],
    ]);
  });

  it('creates collections as well', () => {
    const create = { op: 'c', ns: 'shop.$cmd', ui: new UUID(), o: { create: 'orders', idIndex: {} } };
    const { rows, counters } = new Normalizing().take(
      part(1, [create], { partialTxn: true }, NO_PREVIOUS),
      part(2, [inner('i', { _id: 1 })], { count: Long.fromNumber(2) }, at(1)),
    );
    expect(rows.commands).toMatchObject([{ kind: 'create', namespace: { name: 'shop.orders' }, t: T, i: 2 }]);
    expect([rows.length, rows.ordinal[0], counters.commands]).toEqual([1, 1, 1]);
  });
});
