// Which topics are not what the checkpoint says that they are: a copy that is gone (promise C).
import { errorCodes, type Logger, TailwaterError } from '@tailwater/runtime';
import type { TrackedNamespace } from '../../changes/change-batch.js';
import type { Checkpoint } from '../../checkpoint/checkpoint-record.js';
import type { LostTopics } from '../../publish/topic-losses.js';

export interface LostTopicsParts {
  readonly topics: { lost(namespaces: readonly TrackedNamespace[]): Promise<LostTopics> };
  readonly checkpoint: Pick<Checkpoint, 'topics'>;
  readonly namespaceOf: (name: string) => TrackedNamespace;
  readonly logger: Logger;
}

/** Of the collections, those whose topic is gone; and of all included namespaces, those whose topic's name another topic has. Reports them. */
export async function lostTopics(parts: LostTopicsParts, collections: readonly TrackedNamespace[]): Promise<LostTopics> {
  const { topics, checkpoint, namespaceOf, logger } = parts;
  const recorded = [...checkpoint.topics.keys()].map(namespaceOf).filter(({ included }) => included);
  const { gone, replaced } = await topics.lost([...new Set([...collections, ...recorded])]);
  const lost = { gone: gone.filter((namespace) => collections.includes(namespace)), replaced };
  const told = [...lost.gone, ...replaced].map(({ name }) => name).filter((name) => checkpoint.topics.has(name));
  if (told.length > 0) {
    const { code, message, hint } = new TailwaterError(errorCodes.TOPICS_LOST, { topics: `those of ${told.join(', ')}` });
    logger.warn({ code, namespaces: told }, `${message}. ${hint}`);
  }
  return lost;
}
