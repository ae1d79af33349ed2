// A BSON document as the flat fields that Solr takes: `{a: {b: 1}, list: [{x: 2}], tags: ['u', 'v']}` becomes `a.b`, `list.0.x`
// and a multivalued `tags`. Straight from bytes to bytes; what the schema has no field for is left out and counted (promise E).
import { BsonType, cStringEnd, valueSize } from '@tailwater/schema';
import type { JsonBuffer } from '../json/json-buffer.js';
import { isFiniteAt } from '../json/write-scalar.js';
import { holdsUint32, writeExactly } from './exact-value.js';
import type { FieldNode, FieldTree } from './field-tree.js';
import { UnfitValueError } from './unfit-value.js';
import { isNumeric } from './value-kind.js';

const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;

/** Told of each value that the schema has no field for, and whether it is an integer that no double holds. */
export type OnUnknown = (field: FieldNode, type: number, inArray: boolean, exceedsDouble: boolean) => void;

export class Flattener {
  /** NaN and infinite numbers left out so far. */
  droppedValues = 0;
  /** Values left out so far because the schema has no field for them, or only one for a single value. */
  droppedFields = 0;
  readonly #out: JsonBuffer;
  readonly #onUnknown: OnUnknown;

  constructor(out: JsonBuffer, onUnknown: OnUnknown) {
    this.#out = out;
    this.#onUnknown = onUnknown;
  }

  /**
   * Writes `,"name":value` for each field, without the top-level `_id`, which is the unique key.
   *
   * @throws InvalidBsonError for bytes that are not BSON, UnfitValueError for a value that its field would change
   */
  document(source: Buffer, tree: FieldTree): void {
    this.#object(source, 0, tree.root, true);
  }

  #object(source: Buffer, start: number, parent: FieldNode, topLevel: boolean): void {
    const end = start + source.readInt32LE(start) - 1;
    let expected = parent.first;
    let previous: FieldNode | undefined;
    for (let at = start + 4; at < end; ) {
      const type = source[at] as number;
      const nameStart = at + 1;
      const nameEnd = cStringEnd(source, nameStart);
      const valueStart = nameEnd + 1;
      at = valueStart + valueSize(source, type, valueStart);
      if (topLevel && isId(source, nameStart, nameEnd)) continue;
      const field = parent.child(source, nameStart, nameEnd, expected);
      parent.follow(previous, field);
      previous = field;
      expected = field.next;
      this.#field(source, type, valueStart, at, field);
    }
  }

  #field(source: Buffer, type: number, start: number, end: number, field: FieldNode): void {
    switch (type) {
      case BsonType.object:
        this.#object(source, start, field, false);
        return;
      case BsonType.array:
        this.#array(source, start, field);
        return;
      // Solr has no null: the field is not there.
      case BsonType.null:
      case BsonType.undefined:
        return;
      case BsonType.timestamp:
        this.#number(field.named('t'), source.readUInt32LE(start + 4));
        this.#number(field.named('i'), source.readUInt32LE(start));
        return;
      case BsonType.codeWithScope: {
        const scopeStart = start + 8 + source.readInt32LE(start + 4);
        this.#text(field.named('code'), source, start + 8, scopeStart - 1);
        this.#object(source, scopeStart, field.named('scope'), false);
        return;
      }
      case BsonType.dbPointer: {
        const idStart = end - 12;
        this.#text(field.named('$ref'), source, start + 4, idStart - 1);
        this.#scalar(source, BsonType.objectId, idStart, end, field.named('$id'));
        return;
      }
      default:
        this.#scalar(source, type, start, end, field);
        return;
    }
  }

  /** Scalars in the one multivalued field of the array's name; whatever has fields of its own, or finds no such field, by index. */
  #array(source: Buffer, start: number, field: FieldNode): void {
    const isMultiValued = field.label !== undefined && field.multiValued;
    if (isMultiValued) this.#values(source, start, field);
    const end = start + source.readInt32LE(start) - 1;
    let index = 0;
    for (let at = start + 4; at < end; index++) {
      const type = source[at] as number;
      const valueStart = cStringEnd(source, at + 1) + 1;
      at = valueStart + valueSize(source, type, valueStart);
      if (!isScalar(type)) this.#field(source, type, valueStart, at, field.element(index));
      else if (isMultiValued || isNothing(type)) continue;
      else if (field.element(index).label !== undefined) this.#scalar(source, type, valueStart, at, field.element(index));
      else this.#unknown(field, type, true, exceedsDouble(source, type, valueStart));
    }
  }

  #values(source: Buffer, start: number, field: FieldNode): void {
    const out = this.#out;
    const end = start + source.readInt32LE(start) - 1;
    let isOpen = false;
    for (let at = start + 4; at < end; ) {
      const type = source[at] as number;
      const valueStart = cStringEnd(source, at + 1) + 1;
      at = valueStart + valueSize(source, type, valueStart);
      if (!isScalar(type) || isNothing(type) || this.#isDropped(source, type, valueStart, field)) continue;
      if (!isOpen) out.raw(field.label as Buffer);
      out.ensure(1);
      out.byte(isOpen ? COMMA : OPEN_ARRAY);
      isOpen = true;
      this.#value(source, type, valueStart, at, field);
    }
    if (!isOpen) return;
    out.ensure(1);
    out.byte(CLOSE_ARRAY);
  }

  #scalar(source: Buffer, type: number, start: number, end: number, field: FieldNode): void {
    if (field.label === undefined) {
      this.#unknown(field, type, false, exceedsDouble(source, type, start));
      return;
    }
    if (this.#isDropped(source, type, start, field)) return;
    this.#out.raw(field.label);
    this.#value(source, type, start, end, field);
  }

  #value(source: Buffer, type: number, start: number, end: number, field: FieldNode): void {
    if (!writeExactly(this.#out, field.kind, source, type, start, end)) throw new UnfitValueError(field, type);
  }

  #number(field: FieldNode, value: number): void {
    if (field.label === undefined) {
      this.#unknown(field, BsonType.double, false, false);
      return;
    }
    if (!holdsUint32(field.kind, value)) throw new UnfitValueError(field, BsonType.timestamp);
    this.#out.raw(field.label);
    this.#out.integer(value);
  }

  #text(field: FieldNode, source: Buffer, start: number, end: number): void {
    if (field.label === undefined) {
      this.#unknown(field, BsonType.string, false, false);
      return;
    }
    if (field.kind !== 'any') throw new UnfitValueError(field, BsonType.string);
    this.#out.raw(field.label);
    this.#out.string(source, start, end);
  }

  #isDropped(source: Buffer, type: number, start: number, field: FieldNode): boolean {
    if (type === BsonType.decimal128 ? !isNumeric(field.kind) || isFiniteDecimalAt(source, start) : isFiniteDouble(source, type, start))
      return false;
    this.droppedValues += 1;
    return true;
  }

  #unknown(field: FieldNode, type: number, inArray: boolean, isBeyondDouble: boolean): void {
    this.droppedFields += 1;
    this.#onUnknown(field, type, inArray, isBeyondDouble);
  }
}

function exceedsDouble(source: Buffer, type: number, start: number): boolean {
  if (type !== BsonType.int64) return false;
  const value = source.readBigInt64LE(start);
  return BigInt(Number(value)) !== value;
}

const isFiniteDouble = (source: Buffer, type: number, start: number): boolean => type !== BsonType.double || isFiniteAt(source, start);

/** A text says of a decimal that it is NaN or infinite; these begin with four set bits behind the sign. */
const isFiniteDecimalAt = (source: Buffer, start: number): boolean => ((source[start + 15] as number) & 0x78) !== 0x78;

const isNothing = (type: number): boolean => type === BsonType.null || type === BsonType.undefined;

/** Whether the value is one value, not several fields. */
function isScalar(type: number): boolean {
  switch (type) {
    case BsonType.object:
    case BsonType.array:
    case BsonType.timestamp:
    case BsonType.codeWithScope:
    case BsonType.dbPointer:
      return false;
    default:
      return true;
  }
}

function isId(source: Buffer, start: number, end: number): boolean {
  return end - start === 3 && source[start] === 0x5f && source[start + 1] === 0x69 && source[start + 2] === 0x64;
}
