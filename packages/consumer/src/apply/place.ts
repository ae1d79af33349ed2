// A place: where the changes of one namespace go, such as an index. What a target refuses of a place (closed, read-only, not allowed)
// says nothing of the documents: they wait, and those of other places go on.
import type { Namespace } from '@tailwater/schema';
import { RefusalStreak } from './refusal-streak.js';

/** Why a place takes nothing at the moment. */
export interface Refusal {
  readonly code: string;
  readonly reason: string;
  /** `documents`: nearly every document was refused in a row, so the place is held to be to blame. */
  readonly of: 'place' | 'documents';
}

export class Place {
  readonly namespace: Namespace;
  readonly streak: RefusalStreak;
  /** Changes and bytes that wait for it or are in flight. */
  count = 0;
  bytes = 0;
  /** Undefined while it takes changes. */
  refusal: Refusal | undefined;
  /** When that began, by the monotonic clock. */
  refusedAtMs = 0;

  constructor(namespace: Namespace, refusalLimit: number) {
    this.namespace = namespace;
    this.streak = new RefusalStreak(refusalLimit);
  }

  get isWaiting(): boolean {
    return this.refusal !== undefined;
  }
}
