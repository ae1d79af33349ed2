// The watermark of one group, put together for whoever wants to know it: a consumer that runs, or a command.
import type { KafkaClient, Logger } from '@tailwater/runtime';
import { checkpointTopicName } from '@tailwater/schema';
import { AppliedWatch } from './applied-watch.js';
import { BrokerOffsets } from './broker-offsets.js';
import { CheckpointFollower } from './checkpoint-follower.js';
import { GroupWatermark, type WatermarkScope } from './group-watermark.js';
import { PublishedState } from './published-state.js';

export interface WatchedGroup extends WatermarkScope {
  readonly groupId: string;
  /** Commits what this process has applied. A command has applied nothing. */
  readonly commit?: () => Promise<void>;
}

export function appliedWatch(kafka: KafkaClient, { groupId, commit, ...scope }: WatchedGroup, logger: Logger): AppliedWatch {
  const state = new PublishedState();
  const offsets = new BrokerOffsets(kafka, { prefix: scope.prefix, groupId });
  return new AppliedWatch({
    prefix: scope.prefix,
    state,
    follower: new CheckpointFollower(kafka, checkpointTopicName(scope.prefix), state, logger),
    watermark: new GroupWatermark(state, offsets, scope),
    checkpointEnd: (signal) => offsets.checkpointEnd(signal),
    commit: commit ?? (() => Promise.resolve()),
    close: () => offsets.close(),
  });
}
