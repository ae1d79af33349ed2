// A member of the group, as the leader sees it who shares the partitions out.
import type { TopicPartition } from './subscription.js';
import type { TargetMark } from './target-mark.js';

export interface AssignedMember {
  readonly memberId: string;
  readonly topics: ReadonlySet<string>;
  /** What the member reads at the moment, and since which generation: of two that say so, the older is wrong. */
  readonly owned: readonly TopicPartition[];
  readonly generation: number;
  /** Where it applies changes to, if it says so. */
  readonly target?: TargetMark | undefined;
}
