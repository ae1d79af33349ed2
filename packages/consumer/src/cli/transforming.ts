// What the options say of namespaces and documents, as the transform stage of whatever applies changes.
import {
  type CompiledNamespaceRules,
  compileFieldRules,
  compileNamespaceRules,
  configOptions,
  type OptionValues,
} from '@tailwater/runtime';
import type { Namespace } from '@tailwater/schema';
import type { Target } from '../targets/target.js';
import { Destinations } from '../transform/destinations.js';
import { createTransform, type Transform } from '../transform/transform.js';
import { UserFunction } from '../transform/user-function.js';

const { include, exclude, rename, allowMerge, gridfs, includeFields, excludeFields, transform } = configOptions;

export const transformOptions = { include, exclude, rename, allowMerge, gridfs, includeFields, excludeFields, transform } as const;

export interface Transforming {
  readonly rules: CompiledNamespaceRules;
  /** @throws TailwaterError TW1304 or TW1306 when a namespace that is known by name can have no place at the target */
  for(target: Target): TransformingTo;
}

interface TransformingTo {
  readonly transform: Transform;
  /** Says which namespaces there are, so that clashes are decided alike by everybody. */
  readonly know: (namespaces: readonly Namespace[]) => void;
}

/** @throws TailwaterError TW1010, TW1011, TW1015 or TW137x for rules, fields or a function that are not usable */
export async function prepareTransform(given: OptionValues<typeof transformOptions>): Promise<Transforming> {
  const rules = compileNamespaceRules(given);
  const fields = compileFieldRules(given);
  const userFunction = given.transform === undefined ? {} : { userFunction: await UserFunction.load(given.transform) };
  return {
    rules,
    for: (target) => {
      const destinations = new Destinations(
        (namespace) => rules.targetOf(namespace),
        (namespace) => target.nameOf(namespace),
        given.allowMerge,
      );
      for (const namespace of rules.plain) destinations.of(namespace);
      return {
        transform: createTransform({ destinations, fields, ...userFunction }),
        know: (namespaces) => destinations.know([...rules.plain, ...namespaces]),
      };
    },
  };
}
