// What follows a command that changes which documents exist: what was copied of the old collection is swept, and a collection that
// took a name is copied (promise C). Each decision is returned as the checkpoint record that makes it last, and goes to Kafka in the
// transaction that passes the command: a crash before it meets the command again, and one behind it finds the decision.
import type { Logger } from '@tailwater/runtime';
import type { Snapshotter } from '../backfill/snapshot/snapshotter.js';
import type { Sweeper } from '../backfill/sweep/sweeper.js';
import type { CollectionCommand } from '../changes/change-batch.js';
import type { CheckpointMessage } from '../checkpoint/checkpoint-record.js';

export interface Followers {
  readonly snapshotter: Pick<Snapshotter, 'created' | 'dropped' | 'restart'>;
  readonly sweeper: Pick<Sweeper, 'adopt'>;
  readonly logger: Logger;
}

export function followCommand({ snapshotter, sweeper, logger }: Followers, command: CollectionCommand): CheckpointMessage[] {
  const { kind, namespace, to, isPartial = false } = command;
  if (kind === 'create') return snapshotter.created(namespace, isPartial);
  logger.info(
    { namespace: namespace.name, ...(to === undefined ? {} : { to: to.name }) },
    `The collection was ${to === undefined ? 'dropped' : 'renamed'}; documents that are gone with it get their tombstones`,
  );
  const reason = to === undefined ? 'drop' : 'rename';
  const records: CheckpointMessage[] = [];
  if (namespace.included) records.push(...snapshotter.dropped(namespace, isPartial), sweeper.adopt(namespace, reason));
  // A rename also ends what was under the new name, whether or not its entry says so: a sweep of a topic that holds nothing older finds
  // nothing. The copy was asked for: it goes on whatever the next start is told to copy.
  if (to?.included === true) records.push(snapshotter.restart(to, true), sweeper.adopt(to, reason));
  return records;
}
