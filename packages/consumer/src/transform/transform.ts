// The transform stage: a change as the target should get it, or undefined when nothing of it is for this target. Pure, so that
// a replay gives the same result (promise D). Further transforms compose here.
import type { Change } from '../change.js';
import type { Destinations } from './destinations.js';

export type Transform = (change: Change) => Change | undefined;

/** Sends each change to its namespace's destination, and changes nothing else. */
export function renaming(destinations: Destinations): Transform {
  return (change) => {
    const namespace = destinations.of(change.namespace);
    return namespace === change.namespace ? change : { ...change, namespace };
  };
}
