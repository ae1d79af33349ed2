// What settings of a topic are good for what it holds: some lose records on a bad day, when a broker or a reader is away.

/** A topic as the brokers describe it. */
export interface DescribedTopic {
  readonly topic: string;
  readonly replicas: number;
  readonly settings: ReadonlyMap<string, string>;
}

export interface SettingRule {
  readonly setting: string;
  readonly isGood: (value: string, topic: DescribedTopic) => boolean;
  readonly better: string;
  /** What may happen otherwise. */
  readonly why: string;
}

/** What topics are for, as messages name it, and what they must be like. */
export interface TopicUse {
  readonly name: string;
  readonly rules: readonly SettingRule[];
}

export const MIN_IN_SYNC = 'min.insync.replicas';
/** In sync when a record is acknowledged, where there are as many replicas as `REPLICAS_FOR_IT`: one may be away, and the rest still takes records. */
const IN_SYNC = 2;
const REPLICAS_FOR_IT = 3;

/** Whether a topic acknowledges what one broker alone has, though it need not. */
export const isWeaklyReplicated = (replicas: number, minInSync: string | undefined): boolean =>
  replicas >= REPLICAS_FOR_IT && Number(minInSync ?? 1) < IN_SYNC;

export const KEPT: Readonly<Record<string, string>> = { [MIN_IN_SYNC]: String(IN_SYNC) };

/** What is acknowledged stays, whatever a topic holds. */
export const KEEPING_RULES: readonly SettingRule[] = [
  {
    setting: MIN_IN_SYNC,
    isGood: (value, { replicas }) => !isWeaklyReplicated(replicas, value),
    better: String(IN_SYNC),
    why: 'a record that one broker alone has is acknowledged, and lost with it',
  },
  {
    setting: 'unclean.leader.election.enable',
    isGood: (value) => value !== 'true',
    better: 'false',
    why: 'a replica that lacks acknowledged records may become the leader',
  },
];
