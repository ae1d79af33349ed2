// Which topics to read: those of the namespaces that the rules include.
import { type Namespace, namespaceOfTopic } from '@tailwater/schema';

export interface TopicFilter {
  readonly prefix: string;
  readonly includes: (namespace: Namespace) => boolean;
  /** Told of all those that there are, before a record of any new one is read. */
  readonly onNamespaces?: (namespaces: readonly Namespace[]) => void;
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
