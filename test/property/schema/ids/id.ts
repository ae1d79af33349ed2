// An `_id` as the tests think of it: every BSON type, down to the bits that MongoDB does or does not tell apart.

/** A name or a text as bytes, because a server stores what it is sent, UTF-8 or not. */
export type Bytes = Buffer;

export type Fields = readonly (readonly [name: Bytes, value: Id])[];

export type NumberId =
  | { readonly kind: 'int32'; readonly value: number }
  | { readonly kind: 'int64'; readonly value: bigint }
  | { readonly kind: 'double'; readonly bits: bigint }
  | { readonly kind: 'decimal'; readonly negative: boolean; readonly coefficient: bigint; readonly exponent: number }
  /** NaN, Infinity, and the coefficients that only the second form of the combination field holds. */
  | { readonly kind: 'decimalBits'; readonly high: bigint; readonly low: bigint };

export type Id =
  | NumberId
  | { readonly kind: 'string' | 'symbol' | 'code'; readonly text: Bytes }
  | { readonly kind: 'object'; readonly fields: Fields }
  | { readonly kind: 'array'; readonly items: readonly Id[] }
  | { readonly kind: 'binary'; readonly subType: number; readonly bytes: Bytes }
  | { readonly kind: 'objectId'; readonly bytes: Bytes }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'date'; readonly ms: bigint }
  | { readonly kind: 'timestamp'; readonly t: number; readonly i: number }
  | { readonly kind: 'regex'; readonly pattern: Bytes; readonly options: Bytes }
  | { readonly kind: 'codeWithScope'; readonly code: Bytes; readonly scope: Fields }
  | { readonly kind: 'dbPointer'; readonly namespace: Bytes; readonly id: Bytes }
  | { readonly kind: 'null' | 'undefined' | 'minKey' | 'maxKey' };

export function isNumber(id: Id): id is NumberId {
  return id.kind === 'int32' || id.kind === 'int64' || id.kind === 'double' || id.kind === 'decimal' || id.kind === 'decimalBits';
}

export function double(value: number): Id & { kind: 'double' } {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return { kind: 'double', bits: bytes.readBigUInt64BE() };
}

/** Whether an id, or any id inside it, satisfies the predicate. */
export function contains(id: Id, predicate: (id: Id) => boolean): boolean {
  if (predicate(id)) return true;
  if (id.kind === 'array') return id.items.some((item) => contains(item, predicate));
  return fieldsOf(id).some(([, value]) => contains(value, predicate));
}

/** The fields of a document, or of the scope of a piece of code. */
export function fieldsOf(id: Id): Fields {
  return id.kind === 'object' ? id.fields : id.kind === 'codeWithScope' ? id.scope : [];
}
