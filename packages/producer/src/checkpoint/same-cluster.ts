// A checkpoint goes on with the cluster that it was read from, or not at all (promise C).
import { errorCodes, TailwaterError } from '@tailwater/runtime';
import type { MongoSource } from '../source/mongo/connect.js';
import { type Checkpoint, type CheckpointMessage, clusterMessage } from './checkpoint-record.js';

/**
 * @param accepted - the id of a cluster that may take the place of the one before, such as one that was restored from it
 * @returns what is to be noted of the cluster, if it is not noted yet
 * @throws TailwaterError TW1110 when the checkpoint is another cluster's
 */
export function assertSameCluster(
  { cluster }: Pick<Checkpoint, 'cluster'>,
  { clusterId, replicaSet, address }: Pick<MongoSource, 'clusterId' | 'replicaSet' | 'address'>,
  accepted: string | undefined,
): CheckpointMessage[] {
  if (clusterId === undefined || clusterId === cluster) return [];
  if (cluster !== undefined && clusterId !== accepted)
    throw new TailwaterError(errorCodes.CHECKPOINT_OF_OTHER_CLUSTER, { name: replicaSet, address, expected: cluster, actual: clusterId });
  return [clusterMessage(replicaSet, clusterId)];
}
