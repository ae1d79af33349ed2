// Which topics to read: those of the namespaces that the rules include, looked up again and again, because a topic
// appears when the first document of its namespace does.
import { sleep } from '@tailwater/runtime';
import { type Namespace, namespaceOfTopic } from '@tailwater/schema';
import type { Admin } from 'kafkajs';
import { orAborted } from './or-aborted.js';

export interface TopicFilter {
  readonly prefix: string;
  readonly includes: (namespace: Namespace) => boolean;
}

/** The included topics among all, sorted. */
export function includedTopics(all: readonly string[], filter: TopicFilter): string[] {
  return all
    .filter((topic) => {
      const namespace = namespaceOfTopic(filter.prefix, topic);
      return namespace !== undefined && filter.includes(namespace);
    })
    .sort();
}

/**
 * Polls until the included topics are not `known`; resolves with them. A failed poll counts as no change: the consumer
 * itself notices a broker that is gone.
 *
 * @throws the signal's reason when it aborts
 */
export async function topicsOtherThan(
  known: readonly string[],
  admin: Pick<Admin, 'listTopics'>,
  filter: TopicFilter,
  options: { readonly intervalMs: number; readonly signal: AbortSignal },
): Promise<string[]> {
  for (;;) {
    await sleep(options.intervalMs, options.signal);
    options.signal.throwIfAborted();
    const all = await orAborted(admin.listTopics(), options.signal).catch(() => undefined);
    if (all === undefined) continue;
    const topics = includedTopics(all, filter);
    if (topics.join(' ') !== known.join(' ')) return topics;
  }
}
