// The user's function: a document in, a document, null or several out. It is called again when a record is read again, so it must
// depend on the document alone: then a replay ends in the same state (promise D).
//
// A delete knows nothing but the `_id`. So a function that makes several documents of one also exports `ids`, which names, for an `_id`,
// every `_id` that its documents may have: what is not among the documents that it made is deleted, and a delete deletes them all.
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import { formatNamespace, recordKeyOf } from '@tailwater/schema';
import { type Document, EJSON } from 'bson';
import type { Change } from '../changes/change.js';
import { toBson, toObject } from './plain-document.js';

/** What the function is told beside the document. */
interface TransformContext {
  /** The source's, `database.collection`. */
  readonly namespace: string;
  /** What happened: `insert`, `update`, … */
  readonly op: string;
}

interface UserModule {
  readonly default: (document: Document, context: TransformContext) => unknown;
  readonly ids?: (id: unknown, context: TransformContext) => unknown;
}

const NOTHING = Buffer.alloc(0);

export class UserFunction {
  readonly #file: string;
  readonly #module: UserModule;

  constructor(file: string, module: UserModule) {
    this.#file = file;
    this.#module = module;
  }

  /** @throws TailwaterError TW1373 when the file cannot be loaded, TW1374 when it exports no function */
  static async load(file: string): Promise<UserFunction> {
    let module: Partial<UserModule>;
    try {
      module = (await import(pathToFileURL(resolve(file)).href)) as Partial<UserModule>;
    } catch (error) {
      throw new TailwaterError(
        errorCodes.TRANSFORM_NOT_LOADED,
        { file, reason: error instanceof Error ? error.message : String(error) },
        { cause: error },
      );
    }
    const refuse = (reason: string) => new TailwaterError(errorCodes.TRANSFORM_WITHOUT_A_FUNCTION, { file, reason });
    const { default: main, ids } = module;
    if (typeof main !== 'function') throw refuse('it has no function as default export');
    if (ids !== undefined && typeof ids !== 'function') throw refuse('its export ids is no function');
    if ([main, ids].some((each) => each?.constructor.name === 'AsyncFunction')) throw refuse('an async function cannot be waited for');
    return new UserFunction(file, { default: main, ...(ids === undefined ? {} : { ids }) });
  }

  /** The change with what the function made of its document; with a refusal, when it failed. */
  apply(change: Change): Change {
    try {
      return this.#apply(change, { namespace: formatNamespace(change.namespace), op: change.op });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const params = { file: this.#file, key: change.key.slice(0, 200), namespace: formatNamespace(change.namespace), reason };
      return {
        ...change,
        refusal: { code: errorCodes.TRANSFORM_FAILED, reason: new TailwaterError(errorCodes.TRANSFORM_FAILED, params).message },
      };
    }
  }

  #apply(change: Change, context: TransformContext): Change {
    const made = change.kind === 'delete' ? new Map<string, Document>() : this.#documents(change, context);
    const parts: Change[] = [];
    for (const id of this.#ids(change, context)) {
      const key = recordKeyOf(id);
      if (key === change.key) continue;
      parts.push(this.#part(change, key, made.get(key)));
      made.delete(key);
    }
    const own = this.#part(change, change.key, made.get(change.key));
    made.delete(change.key);
    const [stray] = made.keys();
    if (stray !== undefined) throw new Error(`it gave a document with the _id ${stray}, which its export ids does not name`);
    return parts.length === 0 ? own : { ...own, parts };
  }

  #part(change: Change, key: string, document: Document | undefined): Change {
    if (document !== undefined) return { ...change, key, kind: 'upsert', document: toBson(document) };
    return { ...change, key, kind: 'delete', op: 'delete', document: NOTHING };
  }

  #ids({ key }: Change, context: TransformContext): readonly unknown[] {
    const { ids } = this.#module;
    if (ids === undefined) return [];
    const named = ids(EJSON.parse(key, { relaxed: true }), context);
    if (!Array.isArray(named)) throw new Error('its export ids gave no array');
    return named;
  }

  /** What the function made, by record key. */
  #documents(change: Change, context: TransformContext): Map<string, Document> {
    const source = toObject(change.document);
    const id: unknown = source['_id'];
    const result = this.#module.default(source, context);
    const documents = result === null ? [] : Array.isArray(result) ? (result as unknown[]) : [result];
    const made = new Map<string, Document>();
    for (const document of documents) {
      if (!isDocument(document)) throw new Error(`it gave ${describe(document)}, not a document, an array of documents or null`);
      // Leaving the _id out is not meant to change it; it comes first, as MongoDB stores it.
      const whole = document['_id'] === undefined ? { ...document, _id: id } : document;
      const key = documents.length === 1 && document['_id'] === undefined ? change.key : recordKeyOf(whole['_id']);
      if (made.has(key)) throw new Error(`it gave two documents with the _id ${key}`);
      made.set(key, whole);
    }
    return made;
  }
}

const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('_bsontype' in value) && !('then' in value);

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  return typeof value === 'object' && value !== null && 'then' in value ? 'a promise' : `a ${typeof value}`;
}
