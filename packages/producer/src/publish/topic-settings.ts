// What a topic of ours must be like, and what becomes of one that is not: some settings lose records at once, and are refused; others lose them on a bad day, and are told (promise C).
import { type DescribedTopic, errorCodes, KEEPING_RULES, type SettingRule, TailwaterError, type TopicUse } from '@tailwater/runtime';

/** Bytes of the largest record batch: a document of 16 MB, its update description, key and framing. */
export const MAX_MESSAGE_BYTES = 20 * 1024 * 1024;
/** A topic that takes less is of no use. */
const LEAST_MESSAGE_BYTES = 64 * 1024;
const DAY_MS = 24 * 3600 * 1000;
/** How long readers may be away before they miss a tombstone, in milliseconds. */
export const DELETE_RETENTION_MS = 7 * DAY_MS;
/** How long a record of a log is kept, in milliseconds: 7 days, and dead letters 30 days. */
const SIGNAL_RETENTION_MS = 7 * DAY_MS;
const LETTER_RETENTION_MS = 30 * DAY_MS;
/** So much of a log is kept, whatever its size is limited to. */
const LEAST_LOG_BYTES = 1024 ** 3;
const MINUTE_MS = 60_000;

const DOCUMENT_RULES: readonly SettingRule[] = [
  {
    setting: 'max.message.bytes',
    isGood: (value) => Number(value) >= MAX_MESSAGE_BYTES,
    better: String(MAX_MESSAGE_BYTES),
    why: 'a larger document is put aside',
  },
  {
    setting: 'delete.retention.ms',
    isGood: (value) => Number(value) >= DAY_MS,
    better: String(DELETE_RETENTION_MS),
    why: 'a reader that is behind for longer misses deletes',
  },
  ...KEEPING_RULES,
  {
    setting: 'max.compaction.lag.ms',
    isGood: (value) => Number(value) >= MINUTE_MS,
    better: '9223372036854775807',
    why: 'the broker begins a new segment, and cleans, all the time',
  },
];

export const DOCUMENTS: TopicUse = { name: 'documents', rules: DOCUMENT_RULES };
/** Checkpoints are read whole, and rewritten often: how long deletes stay, and how soon it is cleaned, loses nothing of them. */
export const CHECKPOINTS: TopicUse = { name: 'checkpoints', rules: KEEPING_RULES };

/** A log of one partition, and what it is made with. */
export interface LogUse extends TopicUse {
  readonly retentionMs: number;
}

const logRules = (retentionMs: number, why: string): readonly SettingRule[] => [
  {
    setting: 'retention.ms',
    isGood: (value) => Number(value) < 0 || Number(value) >= DAY_MS,
    better: String(retentionMs),
    why,
  },
  { setting: 'retention.bytes', isGood: (value) => Number(value) < 0 || Number(value) >= LEAST_LOG_BYTES, better: '-1', why },
  {
    setting: 'max.message.bytes',
    isGood: (value) => Number(value) >= MAX_MESSAGE_BYTES,
    better: String(MAX_MESSAGE_BYTES),
    why: 'a larger record is not taken',
  },
  ...KEEPING_RULES,
];

export const SIGNALS: LogUse = {
  name: 'signals',
  retentionMs: SIGNAL_RETENTION_MS,
  rules: logRules(SIGNAL_RETENTION_MS, 'a signal may be gone before a producer reads it'),
};
export const DEAD_LETTERS: LogUse = {
  name: 'dead letters',
  retentionMs: LETTER_RETENTION_MS,
  rules: logRules(LETTER_RETENTION_MS, 'a letter may be gone before it is looked at'),
};

/** Bytes of a record batch that the topic takes, where these are less than those of ours. */
export function smallerBatch({ settings }: DescribedTopic): number | undefined {
  const bytes = Number(settings.get('max.message.bytes') ?? MAX_MESSAGE_BYTES);
  return bytes < MAX_MESSAGE_BYTES ? bytes : undefined;
}

/** @throws TailwaterError TW1203 for a setting that loses records */
export function assertUsable({ topic, settings }: DescribedTopic, use: TopicUse): void {
  const policy = settings.get('cleanup.policy') ?? '';
  if (policy !== 'compact')
    throw new TailwaterError(errorCodes.WRONG_TOPIC_SETTING, { topic, setting: 'cleanup.policy', actual: policy, expected: 'compact' });
  const bytes = settings.get('max.message.bytes') ?? '0';
  if (Number(bytes) < (use === DOCUMENTS ? LEAST_MESSAGE_BYTES : MAX_MESSAGE_BYTES))
    throw new TailwaterError(errorCodes.WRONG_TOPIC_SETTING, {
      topic,
      setting: 'max.message.bytes',
      actual: bytes,
      expected: MAX_MESSAGE_BYTES,
    });
}
