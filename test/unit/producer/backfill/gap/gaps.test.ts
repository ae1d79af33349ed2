import { Position } from '@tailwater/schema';
import { expect, it } from 'vitest';
import { type GapSession, Gaps } from '#producer/backfill/gap/gaps.js';
import { unstartedCopy } from '#producer/backfill/snapshot/snapshot-plan.js';
import type { TrackedNamespace } from '#producer/changes/change-batch.js';
import { CheckpointReader, positionMessage, type SnapshotProgress, snapshotMessage } from '#producer/checkpoint/checkpoint-record.js';
import type { Publication } from '#producer/publish/publisher.js';
import { PositionLost } from '#producer/source/position-lost.js';
import { keptLog } from '#test/integration/producer/support/kept-log.js';

const DONE: SnapshotProgress = { ...unstartedCopy(false), state: 'done', ranges: [], documents: 7, finishedAtMs: 2 };
const [before, oldest, newest] = [new Position(1_000, 1), new Position(2_000, 1), new Position(3_000, 1)];

const namespaceOf = (name: string): TrackedNamespace => {
  const collection = name.slice('shop.'.length);
  return { name, database: 'shop', collection, included: collection !== 'excluded' };
};

it('what is left out when a gap is healed is still to be copied once it is included again; what is gone is forgotten', async () => {
  const reader = new CheckpointReader('rs0');
  const take = (messages: Iterable<{ readonly key: Buffer; readonly value: Buffer | null }>): void => {
    for (const { key, value } of messages) reader.add(String(key), value);
  };
  take([
    positionMessage('rs0', before, 1),
    snapshotMessage('rs0', 'shop.there', DONE),
    snapshotMessage('rs0', 'shop.gone', DONE),
    snapshotMessage('rs0', 'shop.excluded', unstartedCopy(false)),
  ]);
  const published: Publication[] = [];
  const session: GapSession = {
    publisher: { submit: async (publication: Publication) => void published.push(publication), flush: async () => {} } as never,
    topics: { namespaces: async () => [], find: async () => {}, remember: () => {} } as never,
    usedPartitions: async () => undefined,
    checkpointTopic: 'tw.checkpoints',
    signalsTopic: 'tw.signals',
    source: 'rs0',
    namespaceOf,
    newestPosition: async () => newest,
    collections: async () => ['shop.there'],
  };
  const gaps = new Gaps('resnapshot', { gapFound: () => {} } as never, {} as never, keptLog().logger);
  gaps.notice(PositionLost.fromOplog(before, oldest));
  const healed = await gaps.heal(reader.result(), session);
  for (const { topics } of published) for (const { messages } of topics) take(messages);
  const expected = [
    ['shop.excluded', 'running', false],
    ['shop.there', 'running', true],
  ];
  for (const { snapshots } of [healed, reader.result()]) {
    expect([...snapshots].map(([name, { state, isAsked }]) => [name, state, isAsked]).sort()).toEqual(expected);
  }
});
