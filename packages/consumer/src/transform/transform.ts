// The transform stage: a change as the target should get it. Pure, so that a replay gives the same result (promise D). What it cannot
// transform it refuses, and the change goes on as a refusal: to the dead letters, in its turn (promise E).
//
// An update whose changed fields are all left out is applied like any other. Its record may be the only one that compaction has
// kept of the document, so a target that is filled from the topic would lack the document if it were skipped.
import { type FieldRules, TailwaterError } from '@tailwater/runtime';
import type { Namespace } from '@tailwater/schema';
import type { Change } from '../changes/change.js';
import { refusalFor } from '../changes/refusal.js';
import type { Destinations } from './destinations.js';
import { FieldFilter } from './field-filter.js';
import type { UserFunction } from './user-function.js';

export type Transform = (change: Change) => Change | undefined;

export interface TransformParts {
  readonly destinations: Destinations;
  /** Default: all fields. */
  readonly fields?: FieldRules;
  readonly userFunction?: UserFunction;
}

/** Leaves fields out, has the user's function at what is left, and sends the result to its namespace's destination. */
export function createTransform({ destinations, fields, userFunction }: TransformParts): Transform {
  const filters = new Map<Namespace, FieldFilter | undefined>();
  const filterOf = (namespace: Namespace): FieldFilter | undefined => {
    if (!filters.has(namespace)) {
      const selection = fields?.(namespace.database, namespace.collection);
      filters.set(namespace, selection && new FieldFilter(selection));
    }
    return filters.get(namespace);
  };
  return (change) => {
    try {
      const namespace = destinations.of(change.namespace);
      const filter = change.kind === 'upsert' && fields !== undefined ? filterOf(change.namespace) : undefined;
      const document = filter === undefined ? change.document : filter.apply(change.document);
      if (userFunction !== undefined) return sendTo(namespace, userFunction.apply({ ...change, document }));
      return namespace === change.namespace && document === change.document ? change : { ...change, namespace, document };
    } catch (error) {
      if (!(error instanceof TailwaterError)) return { ...change, refusal: refusalFor(error) };
      // A name can be refused, and a module of the user's own can fail at it; every other coded error ends the process.
      if (error.scope !== 'namespace' && error.scope !== 'document') throw error;
      return { ...change, refusal: { code: error.code, reason: error.message } };
    }
  };
}

function sendTo(namespace: Namespace, change: Change): Change {
  const parts = change.parts?.map((part) => ({ ...part, namespace }));
  return { ...change, namespace, ...(parts === undefined ? {} : { parts }) };
}
