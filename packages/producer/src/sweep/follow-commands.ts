// What follows a drop or a rename, when the checkpoint that covers it goes to Kafka: what was copied of the old collection is
// swept, and a collection that took a name is copied (promise C).
import type { Logger } from '@tailwater/runtime';
import { pendingSweep } from '../checkpoint/checkpoint-record.js';
import type { CollectionCommand, TrackedNamespace } from '../normalize/change-batch.js';
import { sweptBy } from './command-messages.js';

export interface Followers {
  readonly snapshotter: { request(namespace: TrackedNamespace): void; forget(namespace: TrackedNamespace): void };
  readonly sweeper: { adopt(namespace: TrackedNamespace, record: ReturnType<typeof pendingSweep>): void };
  readonly logger: Logger;
}

export function followCommand({ snapshotter, sweeper, logger }: Followers, command: CollectionCommand): void {
  if (command.kind === 'create') return;
  const { namespace, to } = command;
  logger.info(
    { namespace: namespace.name, ...(to === undefined ? {} : { to: to.name }) },
    `The collection was ${to === undefined ? 'dropped' : 'renamed'}; documents that are gone with it get their tombstones`,
  );
  // First of all: it voids what is being read under either name.
  snapshotter.forget(namespace);
  if (to !== undefined) snapshotter.forget(to);
  const { namespaces, reason } = sweptBy(command);
  for (const swept of namespaces) sweeper.adopt(swept, pendingSweep(reason));
  if (to?.included === true) snapshotter.request(to);
}
