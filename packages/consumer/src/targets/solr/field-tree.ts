// The names of documents' fields as a tree, with what the schema says of each: a name that was seen before costs a comparison of
// its bytes with the one that followed the last time, and no string.
import type { Schema } from './schema.js';
import type { ValueKind } from './value-kind.js';

/** Data may use values as names (a map by user id): a tree of so many is not added to, and begun anew with the next document. */
const MAX_NODES = 50_000;

export class FieldNode {
  /** `a.b`, `list.0.x`; empty for the document itself. */
  readonly path: string;
  /** `,"path":` when the schema has a field for it. */
  readonly label: Buffer | undefined;
  readonly multiValued: boolean;
  /** What the field can hold. */
  readonly kind: ValueKind;
  /** The name of its type; empty without a field. */
  readonly type: string;
  /** Whether the path has an array's index in it. */
  readonly isIndexed: boolean;
  /** Whether the name is kept for what the consumer, or Solr itself, writes. */
  readonly isReserved: boolean;
  /** The field that came after this one, and the first one inside it, in the last document. */
  next: FieldNode | undefined;
  first: FieldNode | undefined;
  readonly #tree: FieldTree;
  readonly #isDocument: boolean;
  readonly #name: Buffer;
  readonly #children = new Map<string, FieldNode>();
  readonly #elements: FieldNode[] = [];

  constructor(tree: FieldTree, path: string, name: string, isIndexed: boolean, isDocument = false) {
    const field = tree.schema.field(path);
    this.isReserved = tree.reserved.has(path);
    this.#tree = tree;
    this.#isDocument = isDocument;
    this.#name = Buffer.from(name, 'utf8');
    this.path = path;
    this.label = path === '' || field === undefined || this.isReserved ? undefined : Buffer.from(`,${JSON.stringify(path)}:`, 'utf8');
    this.multiValued = field?.multiValued ?? false;
    this.kind = field?.kind ?? 'any';
    this.type = field?.type ?? '';
    this.isIndexed = isIndexed;
  }

  /** The field of the name `source[start, end)` inside this one, probably `expected`. */
  child(source: Buffer, start: number, end: number, expected: FieldNode | undefined): FieldNode {
    if (expected?.isNamed(source, start, end) === true) return expected;
    return this.named(source.toString('utf8', start, end));
  }

  /** The field of this name inside this one. */
  named(name: string): FieldNode {
    const known = this.#children.get(name);
    if (known !== undefined) return known;
    const child = this.#tree.node(this.#isDocument ? name : `${this.path}.${name}`, name, this.isIndexed);
    if (!this.#tree.isFull) this.#children.set(name, child);
    return child;
  }

  /** The field of an array's element. */
  element(index: number): FieldNode {
    const known = this.#elements[index];
    if (known !== undefined) return known;
    const element = this.#tree.node(`${this.path}.${index}`, String(index), true);
    if (!this.#tree.isFull) this.#elements[index] = element;
    return element;
  }

  /** Remembers that `field` came after `previous`, or first if there is no previous one. */
  follow(previous: FieldNode | undefined, field: FieldNode): void {
    if (this.#tree.isFull) return;
    if (previous === undefined) this.first = field;
    else previous.next = field;
  }

  isNamed(source: Buffer, start: number, end: number): boolean {
    const name = this.#name;
    if (name.length !== end - start) return false;
    for (let index = 0; index < name.length; index++) if (name[index] !== source[start + index]) return false;
    return true;
  }
}

export class FieldTree {
  readonly schema: Schema;
  readonly reserved: ReadonlySet<string>;
  #root: FieldNode;
  #nodes = 0;

  constructor(schema: Schema, reserved: ReadonlySet<string>) {
    this.schema = schema;
    this.reserved = reserved;
    this.#root = new FieldNode(this, '', '', false, true);
  }

  /** The document itself. Between two documents the tree may begin anew. */
  get root(): FieldNode {
    if (this.isFull) {
      this.#nodes = 0;
      this.#root = new FieldNode(this, '', '', false, true);
    }
    return this.#root;
  }

  get isFull(): boolean {
    return this.#nodes > MAX_NODES;
  }

  node(path: string, name: string, isIndexed: boolean): FieldNode {
    this.#nodes += 1;
    return new FieldNode(this, path, name, isIndexed);
  }
}
