import { createLogger } from '@tailwater/runtime';
import { beforeEach, describe, expect, it } from 'vitest';
import { unstartedCopy } from '#producer/backfill/snapshot/snapshot-plan.js';
import type { CollectionCommand, TrackedNamespace } from '#producer/changes/change-batch.js';
import { type CheckpointMessage, snapshotMessage, sweepMessage } from '#producer/checkpoint/checkpoint-record.js';
import { followCommand } from '#producer/tail/follow-commands.js';
import { ITEMS, ORDERS } from '../support/rows.js';

const ELSEWHERE: TrackedNamespace = { name: 'attic.old', database: 'attic', collection: 'old', included: false };
const logger = createLogger({ name: 'test', level: 'silent' });
let calls: string[] = [];
beforeEach(() => {
  calls = [];
});

const record = ({ name }: TrackedNamespace): CheckpointMessage => snapshotMessage('rs0', name, unstartedCopy(true));
const followers = {
  snapshotter: {
    created: (namespace: TrackedNamespace, isPartial: boolean) => {
      calls.push(`created ${namespace.name} ${isPartial}`);
      return [];
    },
    dropped: (namespace: TrackedNamespace, isPartial: boolean) => {
      calls.push(`dropped ${namespace.name} ${isPartial}`);
      return [record(namespace)];
    },
    restart: (namespace: TrackedNamespace, isAsked: boolean) => {
      calls.push(`copy ${namespace.name} ${isAsked}`);
      return record(namespace);
    },
  },
  sweeper: {
    adopt: (namespace: TrackedNamespace, reason: 'drop' | 'rename') => {
      calls.push(`sweep ${namespace.name} ${reason}`);
      return sweepMessage('rs0', namespace.name, { state: 'pending', reason, requestedAtMs: 0, finishedAtMs: null, tombstones: 0 });
    },
  },
  logger,
};

const keysAfter = (command: Pick<CollectionCommand, 'kind' | 'namespace' | 'to' | 'isPartial'>): string[] =>
  followCommand(followers as never, { ...command, t: 1, i: 1, wallTimeMs: 0 }).map(({ key }) => key.toString());

describe('followCommand', () => {
  it('sweeps what was dropped, and returns the records of all that it decided', () => {
    expect(keysAfter({ kind: 'drop', namespace: ORDERS })).toEqual(['rs0/snapshot/shop.orders', 'rs0/sweep/shop.orders']);
    expect(calls).toEqual(['dropped shop.orders false', 'sweep shop.orders drop']);
  });

  it('copies and sweeps what took a name', () => {
    expect(keysAfter({ kind: 'rename', namespace: ORDERS, to: ITEMS })).toEqual([
      'rs0/snapshot/shop.orders',
      'rs0/sweep/shop.orders',
      'rs0/snapshot/shop.items',
      'rs0/sweep/shop.items',
    ]);
    expect(calls).toEqual(['dropped shop.orders false', 'sweep shop.orders rename', 'copy shop.items true', 'sweep shop.items rename']);
  });

  it('decides nothing of a namespace that is not included', () => {
    keysAfter({ kind: 'rename', namespace: ORDERS, to: ELSEWHERE });
    keysAfter({ kind: 'rename', namespace: ELSEWHERE, to: ITEMS });
    expect(calls).toEqual(['dropped shop.orders false', 'sweep shop.orders rename', 'copy shop.items true', 'sweep shop.items rename']);
  });

  it('says whether it is only a part of the collection', () => {
    keysAfter({ kind: 'create', namespace: ORDERS, isPartial: true });
    keysAfter({ kind: 'drop', namespace: ORDERS, isPartial: true });
    expect(calls).toEqual(['created shop.orders true', 'dropped shop.orders true', 'sweep shop.orders drop']);
  });
});
