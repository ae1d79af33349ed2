// Which topics are not what they were: gone, or others of the same name.
import { sleep } from '@tailwater/runtime';
import type { TrackedNamespace } from '../changes/change-batch.js';
import type { RecordedTopic } from './recorded-topic.js';
import type { FoundTopics } from './topic-list.js';

/** A broker that has just started, or is cut off, may know less than others: what is lost is so to two of them, so many milliseconds apart. */
const LOST_TWICE_MS = 500;

export interface LostTopics {
  /** Those without a topic. */
  readonly gone: readonly TrackedNamespace[];
  /** It is another one than it was: it was made anew, or has fewer partitions. */
  readonly replaced: readonly TrackedNamespace[];
}

type KnownOf = (namespace: TrackedNamespace) => RecordedTopic | undefined;

/** By name, where topics are asked for, and what they are called. */
export interface AskedTopics {
  /** @param before - another broker than the one that told this is asked */
  readonly read: (before?: FoundTopics) => Promise<FoundTopics>;
  readonly nameOf: (namespace: TrackedNamespace) => string;
}

/** Of these namespaces, those whose topic is lost, by what is known of it. */
export async function findLostTopics(
  asked: AskedTopics,
  namespaces: readonly TrackedNamespace[],
  knownOf: KnownOf,
  found?: FoundTopics,
): Promise<LostTopics> {
  const before = found ?? (await asked.read());
  const first = compareTopics(asked.nameOf, namespaces, knownOf, before);
  const candidates = [...first.gone, ...first.replaced];
  if (candidates.every((namespace) => knownOf(namespace) === undefined)) return first;
  await sleep(LOST_TWICE_MS);
  return compareTopics(asked.nameOf, candidates, knownOf, await asked.read(before));
}

/** By one look at them. */
export function compareTopics(
  nameOf: AskedTopics['nameOf'],
  namespaces: readonly TrackedNamespace[],
  knownOf: KnownOf,
  found: FoundTopics,
): LostTopics {
  const gone = namespaces.filter((namespace) => !found.has(nameOf(namespace)));
  const replaced = namespaces.filter((namespace) => {
    const [now, known] = [found.get(nameOf(namespace)), knownOf(namespace)];
    if (now === undefined || known === undefined) return false;
    return now.leaders.length < known.partitions || (now.id !== undefined && known.id !== undefined && now.id !== known.id);
  });
  return { gone, replaced };
}
