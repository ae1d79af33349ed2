// One document with every BSON type, deprecated ones included, and others that only raw BSON can say.
import {
  Binary,
  BSON,
  BSONRegExp,
  BSONSymbol,
  Code,
  DBRef,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'bson';

export const raw = (document: object): Buffer => Buffer.from(BSON.serialize(document, { ignoreUndefined: false }));

/** A document of elements that are bytes already: `\x10name\0\x01\0\0\0`. */
export function rawDocument(...elements: readonly Buffer[]): Buffer {
  const document = Buffer.concat([Buffer.alloc(4), ...elements, Buffer.alloc(1)]);
  document.writeInt32LE(document.length);
  return document;
}

/** The elements of a serialized document, without its length and end. */
export const elements = (document: object): Buffer => raw(document).subarray(4, -1);

export function everyType(id: unknown): Buffer {
  const dbPointer = Buffer.concat([
    Buffer.from('\x0cdbPointer\0\x04\0\0\0a.b\0', 'latin1'),
    Buffer.from('507f1f77bcf86cd799439011', 'hex'),
  ]);
  return rawDocument(
    elements({
      _id: id,
      double: new Double(1.5),
      integralDouble: new Double(2),
      string: 'täxt "quoted" \u0000 \u2028 😀',
      object: { a: new Int32(1), nested: { _id: 'inner' } },
      array: [new Int32(1), [new Int32(2), null]],
      documents: [{ a: 'b' }, { a: null }],
      binary: new Binary(Buffer.from([0, 1, 2, 255])),
      uuid: new UUID('3f2a0a2e-7a0b-4c1d-8e9f-0123456789ab'),
      objectId: new ObjectId('507f1f77bcf86cd799439011'),
      boolean: true,
      date: new Date('2024-02-29T12:00:00.123Z'),
      oldDate: new Date('-000001-01-01T00:00:00.000Z'),
      farDate: new Date(8.64e15),
      nothing: null,
      notDefined: undefined,
      regex: new BSONRegExp('^a.*b$', 'im'),
      dbRef: new DBRef('orders', new ObjectId('507f1f77bcf86cd799439011')),
      code: new Code('function () {}'),
      scoped: new Code('f()', { x: new Int32(1) }),
      symbol: new BSONSymbol('sym'),
      int32: new Int32(-2_147_483_648),
      timestamp: new Timestamp({ t: 4_000_000_000, i: 7 }),
      int64: Long.fromString('9007199254740993'),
      decimal: Decimal128.fromString('12345678901234567890.1234567890'),
      minKey: new MinKey(),
      maxKey: new MaxKey(),
      empty: {},
      emptyArray: [],
    }),
    dbPointer,
  );
}

/** What JavaScript's objects cannot hold: names that come twice, integer-like names in another order than by value. */
export function unspeakable(id: number): Buffer {
  const int = (name: string, value: number): Buffer => elements({ [name]: new Int32(value) });
  return rawDocument(int('_id', id), int('10', 1), int('2', 2), int('10', 3), int('a', 4));
}
