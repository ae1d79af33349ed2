import { describe, expect, it } from 'vitest';
import { SNAPSHOT_MODES, type SnapshotMode, SnapshotPlan, unstartedCopy } from '#producer/backfill/snapshot/snapshot-plan.js';
import { CheckpointReader, snapshotMessage } from '#producer/checkpoint/checkpoint-record.js';
import { ITEMS, ORDERS } from '#test/unit/producer/support/rows.js';

const BOTH = [ORDERS, ITEMS];

/** A checkpoint in which somebody has asked for a copy of `items`. */
function checkpoint() {
  const reader = new CheckpointReader('rs0');
  for (const [namespace, isAsked] of [[ORDERS, false] as const, [ITEMS, true] as const]) {
    const { key, value } = snapshotMessage('rs0', namespace.name, unstartedCopy(isAsked));
    reader.add(key.toString(), value);
  }
  return reader.result();
}

describe('SnapshotPlan', () => {
  it.each<[SnapshotMode, number, number]>([
    ['initial', 0, 2],
    ['when-needed', 0, 2],
    ['always', 2, 2],
    ['never', 0, 1],
  ])('%s: %i begin anew, %i are asked for', (mode, anew, requested) => {
    const plan = new SnapshotPlan(mode);
    expect(plan.anew(BOTH).length).toBe(anew);
    expect(plan.requested(BOTH, checkpoint()).length).toBe(requested);
  });

  it('copies again at a start, not at each session of a process', () => {
    const plan = new SnapshotPlan('always');
    expect(plan.anew(BOTH)).toEqual(BOTH);
    expect(plan.anew(BOTH)).toEqual(BOTH);
    plan.started();
    expect(plan.anew(BOTH)).toEqual([]);
    expect(plan.requested(BOTH, checkpoint())).toEqual(BOTH);
  });

  it('goes on with what somebody has asked for even where a start copies nothing', () => {
    expect(new SnapshotPlan('never').requested(BOTH, checkpoint())).toEqual([ITEMS]);
  });

  it('when needed, knows the collections of the first start, and copies none that is new to a later one', () => {
    const plan = new SnapshotPlan('when-needed');
    const empty = new CheckpointReader('rs0').result();
    expect(plan.requested(BOTH, empty)).toEqual([]);
    const [begun, messages] = plan.begin(empty, [ORDERS], 'rs0');
    expect(plan.requested(BOTH, begun)).toEqual([ORDERS]);
    // What a start behind a crash reads is the same.
    const reader = new CheckpointReader('rs0');
    for (const { key, value } of messages) reader.add(key.toString(), value);
    expect(plan.requested(BOTH, reader.result())).toEqual([ORDERS]);
    expect(new SnapshotPlan('initial').begin(empty, BOTH, 'rs0')).toEqual([empty, []]);
  });

  it('has a case above for each mode', () => expect(SNAPSHOT_MODES.length).toBe(4));
});
