// Leaves fields of a document out, from bytes to bytes: nothing is decoded, so what stays is what the source wrote (promise C).
//
// Paths are MongoDB's: dotted, through subdocuments and through arrays at any depth. A field whose own name holds dots counts as if it
// were nested, so that what was excluded does not get past under such a name.
import type { FieldSelection } from '@tailwater/runtime';
import { BsonType, cStringEnd, valueSize } from '@tailwater/schema';

/** The fields that begin with the same pieces; a leaf stands for everything below it. */
interface FieldNode {
  configOption: boolean;
  readonly children: { readonly name: Buffer; readonly node: FieldNode }[];
}

const DOT = 0x2e;
const ZERO = 0x30;
/** Up to this length a loop beats the call that copies memory (measured). */
const LOOP_BYTES = 64;
const ID = Buffer.from('_id');
const LEAF: FieldNode = { configOption: true, children: [] };

export class FieldFilter {
  readonly #root: FieldNode = { configOption: false, children: [] };
  readonly #including: boolean;
  #out: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor({ mode, paths }: FieldSelection) {
    this.#including = mode === 'include';
    for (const path of paths) add(this.#root, path.split('.'));
  }

  /**
   * The document with the fields that are to stay: itself when all are, else a new one.
   *
   * @throws InvalidBsonError for bytes that are not BSON
   */
  apply(document: Buffer): Buffer {
    this.#out = Buffer.allocUnsafe(document.length);
    this.#at = 0;
    this.#container(document, 0, this.#root, false, true);
    const filtered = this.#out.subarray(0, this.#at);
    this.#out = Buffer.alloc(0);
    if (filtered.length === document.length) return document;
    // A small rest of a large document must not keep all its memory.
    return filtered.length * 2 < document.length ? Buffer.from(filtered) : filtered;
  }

  /** Copies a document or an array whose elements `node` speaks of. */
  #container(source: Buffer, start: number, node: FieldNode, isArray: boolean, isTop = false): void {
    const end = start + source.readInt32LE(start) - 1;
    const outStart = this.#at;
    this.#at += 4;
    let kept = 0;
    for (let at = start + 4; at < end; ) {
      const elementStart = at;
      const type = source[at] as number;
      const nameEnd = cStringEnd(source, at + 1);
      const valueStart = nameEnd + 1;
      at = valueStart + valueSize(source, type, valueStart);
      // The elements of an array have no name of their own: the paths go through them.
      const below = isArray ? node : find(node, source, elementStart + 1, nameEnd);
      const isContainer = type === BsonType.object || type === BsonType.array;
      if (isTop && isId(source, elementStart + 1, nameEnd)) this.#copy(source, elementStart, at);
      else if (below !== undefined && !below.configOption && isContainer) {
        this.#name(source, elementStart, valueStart, isArray, kept);
        this.#container(source, valueStart, below, type === BsonType.array);
      } else if (this.#stays(below)) {
        this.#name(source, elementStart, valueStart, isArray, kept);
        this.#copy(source, valueStart, at);
      } else continue;
      kept += 1;
    }
    this.#out[this.#at++] = 0;
    this.#out.writeInt32LE(this.#at - outStart, outStart);
  }

  /** Whether a value stays that is kept or left out as a whole; one that a path would lead through, but cannot, is not included. */
  #stays(below: FieldNode | undefined): boolean {
    return this.#including ? below?.configOption === true : below?.configOption !== true;
  }

  /** The type and the name; an array's elements are numbered anew, because some may be left out. */
  #name(source: Buffer, start: number, valueStart: number, isArray: boolean, index: number): void {
    if (!isArray) {
      this.#copy(source, start, valueStart);
      return;
    }
    this.#out[this.#at++] = source[start] as number;
    if (index < 10) this.#out[this.#at++] = ZERO + index;
    else this.#at += this.#out.write(String(index), this.#at, 'latin1');
    this.#out[this.#at++] = 0;
  }

  #copy(source: Buffer, start: number, end: number): void {
    const out = this.#out;
    let at = this.#at;
    if (end - start > LOOP_BYTES) source.copy(out, at, start, end);
    else for (let index = start; index < end; index++) out[at++] = source[index] as number;
    this.#at += end - start;
  }
}

function add(root: FieldNode, pieces: readonly string[]): void {
  let node = root;
  for (const piece of pieces) {
    const name = Buffer.from(piece, 'utf8');
    let child = node.children.find((each) => each.name.equals(name));
    if (child === undefined) {
      child = { name, node: { configOption: false, children: [] } };
      node.children.push(child);
    }
    node = child.node;
  }
  node.configOption = true;
}

/** What the paths say of a field of this name; a leaf when they name it, or something above it. */
function find(node: FieldNode, source: Buffer, start: number, end: number): FieldNode | undefined {
  for (const child of node.children) {
    const length = child.name.length;
    if (end - start < length || !startsWith(source, start, child.name)) continue;
    if (end - start === length) return child.node;
    if (source[start + length] !== DOT) continue;
    if (child.node.configOption) return LEAF;
    const below = find(child.node, source, start + length + 1, end);
    if (below !== undefined) return below;
  }
  return undefined;
}

function startsWith(source: Buffer, start: number, name: Buffer): boolean {
  for (let index = 0; index < name.length; index++) if (source[start + index] !== name[index]) return false;
  return true;
}

const isId = (source: Buffer, start: number, end: number): boolean => end - start === ID.length && startsWith(source, start, ID);
