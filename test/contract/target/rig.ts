// A target on its real server, as the contract suite sees it: one of each kind, whatever the target is.
import type { Target } from '@tailwater/consumer';
import type { Namespace } from '@tailwater/schema';

export interface Rig {
  /** A target that is not connected yet, with the usual settings or others. */
  target(settings?: { readonly url?: string; readonly connectTimeoutMs?: number; readonly requestTimeoutMs?: number }): Target;
  /** Where the server listens. */
  readonly port: number;
  /** The URL of such a target on another port: a proxy in front of it, or nothing. */
  urlAt(port: number): string;
  /** Readies the server for documents of this namespace. */
  prepare(namespace: Namespace): Promise<void>;
  /** What the target holds of a document, in whatever form {@link Expectations} are written; undefined when it holds nothing. */
  read(namespace: Namespace, id: unknown): Promise<unknown>;
  /** How many documents of the namespace can be found. */
  count(namespace: Namespace): Promise<number>;
  /** Sees to it that documents with a text in the field `n` are refused. */
  refuseTextInN(namespace: Namespace): Promise<void>;
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly expectations: Expectations;
}

/** Where targets may differ, and how. */
interface Expectations {
  /** `refused`: an older version is superseded. `ignored`: the same, but it is not said. `ordered`: it is applied, order alone protects. */
  readonly staleVersions: 'refused' | 'ignored' | 'ordered';
  /** Whether a removal leaves alone what has changed since it was seen. */
  readonly keepsStates: boolean;
  /** What is read of the document with every BSON type. */
  everyType(id: unknown): unknown;
  /** What is read of the document `{_id, ...fields}`, for plain fields. */
  plain(id: unknown, fields: Readonly<Record<string, unknown>>): unknown;
  /** A field that takes text of any length. */
  readonly textField: string;
}
