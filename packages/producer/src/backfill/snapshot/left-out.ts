// A namespace that was published and is no longer included: from now on its changes are passed over, so that what the checkpoint says of its copy is true no
// longer (promise C). It is forgotten before the first of them is, and the copy and the sweep wait until the namespace is included again.
import {
  type Checkpoint,
  type CheckpointMessage,
  pendingSweep,
  snapshotMessage,
  sweepMessage,
} from '../../checkpoint/checkpoint-record.js';
import { unstartedCopy } from './snapshot-plan.js';

export function leftOut(
  { snapshots, sweeps, topics }: Pick<Checkpoint, 'snapshots' | 'sweeps' | 'topics'>,
  isIncluded: (name: string) => boolean,
  source: string,
): CheckpointMessage[] {
  const records: CheckpointMessage[] = [];
  for (const name of new Set([...snapshots.keys(), ...topics.keys()])) {
    if (isIncluded(name)) continue;
    const copy = snapshots.get(name);
    const isForgotten = copy === undefined || (copy.state === 'running' && copy.ranges === null);
    if (!isForgotten) records.push(snapshotMessage(source, name, unstartedCopy(copy.isAsked === true)));
    if (sweeps.get(name)?.state !== 'pending') records.push(sweepMessage(source, name, pendingSweep('left-out')));
  }
  return records;
}
