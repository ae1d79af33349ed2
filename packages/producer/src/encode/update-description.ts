// What an update changed, from the `o` of its oplog entry, as a change stream of the same write reports it, or from that report.
// Raw BSON in and out: values are copied as bytes, and only names become text where Avro wants text.
// https://www.mongodb.com/docs/manual/reference/change-events/update/ and, for `$v: 2`, update_oplog_entry_serialization.h and
// document_diff_serialization.h of https://github.com/mongodb/mongo
import { BsonCursor, BsonType, readString, type UpdateDescription } from '@tailwater/schema';

/** A description, and how many bytes it takes in the envelope at most. */
export interface SizedDescription extends UpdateDescription {
  readonly bytes: number;
}

/** Larger ones are not described: paths repeat for every field below them, so that a small update can name a lot of bytes. */
const MAX_DESCRIPTION_BYTES = 16 * 1024 * 1024;
const FIRST_SCRATCH_BYTES = 64 * 1024;
/** A larger one is given back. */
const KEPT_SCRATCH_BYTES = 4 * 1024 * 1024;
const DOT = 0x2e;
/** Letters that a key of a diff begins with: an array element or an object's field that has a diff, an array element that is new. */
const SUB_DIFF = 0x73;
const UPDATED_ELEMENT = 0x75;
/** Avro's length of a string, or of a block of them. */
const LENGTH_BYTES = 5;

export class UpdateDescriber {
  #scratch = Buffer.allocUnsafe(FIRST_SCRATCH_BYTES);
  /** Where the description that is being written begins and has come to. */
  #start = 0;
  #at = 0;
  #path = Buffer.allocUnsafe(256);
  readonly #cursors: BsonCursor[] = [];
  #removed: string[] = [];
  #truncated: { field: string; newSize: number }[] = [];
  #bytes = 0;

  /** Descriptions returned before may be overwritten from now on. */
  reset(): void {
    this.#start = this.#at = 0;
    if (this.#scratch.length > KEPT_SCRATCH_BYTES) this.#scratch = Buffer.allocUnsafe(FIRST_SCRATCH_BYTES);
  }

  /**
   * Describes the update whose `o`, or whose description in a change event, begins at `start`; undefined when that is too large,
   * or is none of these kinds.
   */
  describe(source: Buffer, start: number): SizedDescription | undefined {
    this.#start = this.#at;
    this.#at += 4;
    this.#removed = [];
    this.#truncated = [];
    this.#bytes = 4 * LENGTH_BYTES;
    const isDescribed = this.#update(source, start) && this.#reserve(1);
    if (!isDescribed) {
      this.#at = this.#start;
      return undefined;
    }
    this.#scratch[this.#at++] = 0;
    const updatedFields = this.#scratch.subarray(this.#start, this.#at);
    updatedFields.writeInt32LE(updatedFields.length, 0);
    return {
      updatedFields,
      removedFields: this.#removed,
      truncatedArrays: this.#truncated,
      bytes: this.#bytes + updatedFields.length,
    };
  }

  /**
   * `{$v: 1, $set, $unset}`, in entries before MongoDB 5.0; `{$v: 2, diff}`; `{updatedFields, removedFields, truncatedArrays}` of
   * a change event, which may have more that says the same in other words.
   */
  #update(source: Buffer, start: number): boolean {
    const cursor = this.#cursor(0);
    cursor.enter(source, start);
    let isKnown = false;
    while (cursor.next()) {
      const { type, valueStart } = cursor;
      let isFitting = true;
      if (type === BsonType.object && cursor.isNamed(DIFF)) isFitting = this.#objectDiff(source, valueStart, 0, 1);
      else if (type === BsonType.object && (cursor.isNamed(SET) || cursor.isNamed(UPDATED_FIELDS)))
        isFitting = this.#fields(source, valueStart, 0, 1);
      else if (type === BsonType.object && cursor.isNamed(UNSET)) isFitting = this.#removals(source, valueStart, 0, 1);
      else if (type === BsonType.array && cursor.isNamed(REMOVED_FIELDS)) isFitting = this.#reportedRemovals(source, valueStart);
      else if (type === BsonType.array && cursor.isNamed(TRUNCATED_ARRAYS)) isFitting = this.#reportedLengths(source, valueStart);
      else continue;
      if (!isFitting) return false;
      isKnown = true;
    }
    return isKnown;
  }

  /** `{d, u, i, s<field>…}` of the document at the path: fields removed, updated, inserted, and those with a diff of their own. */
  #objectDiff(source: Buffer, start: number, pathLength: number, depth: number): boolean {
    const cursor = this.#cursor(depth);
    cursor.enter(source, start);
    while (cursor.next()) {
      if (cursor.type !== BsonType.object) return false;
      let isFitting: boolean;
      if (cursor.isNamed(UPDATED) || cursor.isNamed(INSERTED)) isFitting = this.#fields(source, cursor.valueStart, pathLength, depth + 1);
      else if (cursor.isNamed(DELETED)) isFitting = this.#removals(source, cursor.valueStart, pathLength, depth + 1);
      else isFitting = source[cursor.nameStart] === SUB_DIFF && this.#subDiff(cursor, pathLength, depth);
      if (!isFitting) return false;
    }
    return true;
  }

  /** `{a: true, l, u<index>…, s<index>…}` of the array at the path: its new length, elements that are new, and those with a diff. */
  #arrayDiff(source: Buffer, start: number, pathLength: number, depth: number): boolean {
    const cursor = this.#cursor(depth);
    cursor.enter(source, start);
    while (cursor.next()) {
      const letter = source[cursor.nameStart];
      let isFitting = cursor.isNamed(IS_ARRAY);
      if (cursor.isNamed(NEW_LENGTH)) isFitting = this.#truncate(this.#path.toString('utf8', 0, pathLength), cursor);
      else if (letter === UPDATED_ELEMENT) isFitting = this.#field(cursor, cursor.nameStart + 1, pathLength);
      else if (letter === SUB_DIFF) isFitting = this.#subDiff(cursor, pathLength, depth);
      if (!isFitting) return false;
    }
    return true;
  }

  #subDiff({ source, nameStart, nameEnd, valueStart, type }: BsonCursor, pathLength: number, depth: number): boolean {
    if (type !== BsonType.object) return false;
    const inner = this.#extendPath(source, nameStart + 1, nameEnd, pathLength);
    const probe = this.#cursor(depth + 1);
    probe.enter(source, valueStart);
    // The mark comes first, and a diff of a document has none: a field of its own would be in `u` or `i`.
    const isArray = probe.next() && probe.isNamed(IS_ARRAY);
    return isArray ? this.#arrayDiff(source, valueStart, inner, depth + 1) : this.#objectDiff(source, valueStart, inner, depth + 1);
  }

  #fields(source: Buffer, start: number, pathLength: number, depth: number): boolean {
    const cursor = this.#cursor(depth);
    cursor.enter(source, start);
    while (cursor.next()) if (!this.#field(cursor, cursor.nameStart, pathLength)) return false;
    return true;
  }

  /** Appends an element: the value at the cursor under the path and the name that begins at `nameStart`. */
  #field({ source, type, nameEnd, valueStart, valueEnd }: BsonCursor, nameStart: number, pathLength: number): boolean {
    if (!this.#reserve(1 + pathLength + 1 + valueEnd - nameStart)) return false;
    const out = this.#scratch;
    out[this.#at++] = type;
    if (pathLength > 0) {
      this.#at += this.#path.copy(out, this.#at, 0, pathLength);
      out[this.#at++] = DOT;
    }
    this.#at += source.copy(out, this.#at, nameStart, nameEnd);
    out[this.#at++] = 0;
    this.#at += source.copy(out, this.#at, valueStart, valueEnd);
    return true;
  }

  #removals(source: Buffer, start: number, pathLength: number, depth: number): boolean {
    const cursor = this.#cursor(depth);
    cursor.enter(source, start);
    const prefix = pathLength === 0 ? '' : `${this.#path.toString('utf8', 0, pathLength)}.`;
    while (cursor.next()) if (!this.#remove(prefix + cursor.name(), pathLength + 1 + cursor.nameEnd - cursor.nameStart)) return false;
    return true;
  }

  #remove(path: string, bytes: number): boolean {
    this.#removed.push(path);
    this.#bytes += LENGTH_BYTES + bytes;
    return this.#bytes <= MAX_DESCRIPTION_BYTES;
  }

  #reportedRemovals(source: Buffer, start: number): boolean {
    const cursor = this.#cursor(1);
    cursor.enter(source, start);
    while (cursor.next()) {
      if (cursor.type !== BsonType.string) return false;
      if (!this.#remove(readString(source, cursor.valueStart), cursor.valueEnd - cursor.valueStart)) return false;
    }
    return true;
  }

  #reportedLengths(source: Buffer, start: number): boolean {
    const cursor = this.#cursor(1);
    const inner = this.#cursor(2);
    cursor.enter(source, start);
    while (cursor.next()) {
      if (cursor.type !== BsonType.object) return false;
      let field = '';
      inner.enter(source, cursor.valueStart);
      while (inner.next()) {
        if (inner.isNamed(FIELD)) field = readString(source, inner.valueStart);
        else if (inner.isNamed(NEW_SIZE) && !this.#truncate(field, inner)) return false;
      }
    }
    return true;
  }

  #truncate(field: string, { source, type, valueStart }: BsonCursor): boolean {
    if (type !== BsonType.int32) return false;
    this.#truncated.push({ field, newSize: source.readInt32LE(valueStart) });
    this.#bytes += 2 * LENGTH_BYTES + Buffer.byteLength(field);
    return this.#bytes <= MAX_DESCRIPTION_BYTES;
  }

  /** Puts a name behind the path's first bytes, and returns how long that is. */
  #extendPath(source: Buffer, nameStart: number, nameEnd: number, pathLength: number): number {
    const length = pathLength + (pathLength === 0 ? 0 : 1) + nameEnd - nameStart;
    if (length > this.#path.length) {
      const longer = Buffer.allocUnsafe(length * 2);
      this.#path.copy(longer, 0, 0, pathLength);
      this.#path = longer;
    }
    if (pathLength > 0) this.#path[pathLength] = DOT;
    source.copy(this.#path, length - (nameEnd - nameStart), nameStart, nameEnd);
    return length;
  }

  /** Makes room for so many bytes; those of descriptions before stay where they are. */
  #reserve(bytes: number): boolean {
    const length = this.#at - this.#start;
    if (length + bytes + this.#bytes > MAX_DESCRIPTION_BYTES) return false;
    if (this.#at + bytes <= this.#scratch.length) return true;
    const larger = Buffer.allocUnsafe(Math.max(this.#scratch.length * 2, (length + bytes) * 2));
    this.#scratch.copy(larger, 0, this.#start, this.#at);
    this.#scratch = larger;
    this.#start = 0;
    this.#at = length;
    return true;
  }

  /** A walk's cursor: one a level, since the levels above are in the middle of theirs. */
  #cursor(depth: number): BsonCursor {
    let cursor = this.#cursors[depth];
    if (cursor === undefined) {
      cursor = new BsonCursor();
      this.#cursors[depth] = cursor;
    }
    return cursor;
  }
}

const SET = Buffer.from('$set');
const UNSET = Buffer.from('$unset');
const DIFF = Buffer.from('diff');
const UPDATED_FIELDS = Buffer.from('updatedFields');
const REMOVED_FIELDS = Buffer.from('removedFields');
const TRUNCATED_ARRAYS = Buffer.from('truncatedArrays');
const FIELD = Buffer.from('field');
const NEW_SIZE = Buffer.from('newSize');
const UPDATED = Buffer.from('u');
const INSERTED = Buffer.from('i');
const DELETED = Buffer.from('d');
const IS_ARRAY = Buffer.from('a');
const NEW_LENGTH = Buffer.from('l');
