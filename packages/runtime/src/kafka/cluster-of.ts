// The cluster behind an admin client of kafkajs, which asks the brokers more than the client itself can: all partitions in one request.
import type { Admin, Cluster, Kafka } from 'kafkajs';
import { withCluster } from './kafkajs-cluster.js';

const clusters = new WeakMap<Admin, Cluster>();

/** Makes an admin client whose cluster is known. */
export function adminWithCluster(kafka: Kafka, make: () => Admin): Admin {
  const { made, cluster } = withCluster(kafka, make);
  if (cluster !== undefined) clusters.set(made, cluster);
  return made;
}

/** @throws TypeError for a client that another `Kafka` than ours made, or when the installed kafkajs is built otherwise */
export function clusterOf(admin: Admin): Cluster {
  const cluster = clusters.get(admin);
  if (cluster === undefined) throw new TypeError('The cluster of this admin client is not known');
  return cluster;
}
