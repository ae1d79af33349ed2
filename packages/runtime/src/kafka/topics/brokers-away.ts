// A new topic cannot have more replicas than there are brokers, and one that shuts down, as in a rolling restart, does not count. Whether
// that passes or is a mistake, the topics that exist tell: if one of them has as many replicas, there were as many brokers.
import { errorCodes } from '../../errors/catalogue.js';
import { TailwaterError } from '../../errors/tailwater-error.js';
import { toKafkaError } from '../kafka-errors.js';
import type { TopicPartitions } from '../protocol/cluster-metadata.js';

export interface NewTopic {
  readonly topic: string;
  /** -1 leaves it to the brokers. */
  readonly replicationFactor: number;
}

/**
 * What the failure to make a topic means: TW1224 when brokers are away that were there before; else the failure itself.
 *
 * @param existing - reads the topics of the cluster; asked only when the factor was refused
 */
export async function toCreationError(
  error: unknown,
  { topic, replicationFactor }: NewTopic,
  brokers: string,
  existing: () => Promise<Iterable<Pick<TopicPartitions, 'replicas'>>>,
): Promise<unknown> {
  const coded = toKafkaError(error, brokers);
  if (!(coded instanceof TailwaterError) || coded.code !== errorCodes.REPLICATION_FACTOR_IMPOSSIBLE) return error;
  // What the brokers' own default is, is not known: one that no single broker can fulfil.
  const wanted = replicationFactor > 0 ? replicationFactor : 2;
  for (const { replicas } of await existing())
    if (replicas >= wanted) return new TailwaterError(errorCodes.BROKERS_AWAY, { brokers, topic }, { cause: error });
  return error;
}
