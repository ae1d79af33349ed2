import { describe, expect, test } from 'vitest';
import { formatCommitMetadata, parseCommitMetadata } from '#consumer/commit/freshness.js';
import { PartitionProgress } from '#consumer/commit/progress.js';

const DAY = 24 * 3600 * 1000;
const NOW = 1_800_000_000_000;
const standing = (rest: object) => ({
  topic: 'tw.a.b',
  partition: 0,
  topicId: 'id',
  committed: undefined,
  metadata: null,
  low: 0,
  end: 10,
  tombstonesKeptMs: 7 * DAY,
  ...rest,
});

describe('a partition of a group whose offsets were forgotten', () => {
  test('may have hidden deletes', () => {
    expect(new PartitionProgress(standing({}), NOW, { hasForgottenOffsets: true }).missed).toEqual({ fromMs: 0, toMs: NOW });
  });

  test('has hidden none when it began a while ago only, and has its first record still', () => {
    const progress = new PartitionProgress(standing({ bornAtMs: NOW - DAY }), NOW, { hasForgottenOffsets: true });
    expect(progress.missed).toBeUndefined();
  });

  test('may have hidden some since it began, when that is longer ago than deletes are kept', () => {
    const progress = new PartitionProgress(standing({ bornAtMs: NOW - 8 * DAY }), NOW, { hasForgottenOffsets: true });
    expect(progress.missed).toEqual({ fromMs: NOW - 8 * DAY, toMs: NOW });
  });
});

describe('what is committed', () => {
  test('says where it was applied to, and what was committed before says where that was', () => {
    const metadata = formatCommitMetadata({ freshAtMs: NOW, topicId: 'id', target: ['one'] });
    const progress = new PartitionProgress(standing({ committed: 3, metadata }), NOW, { target: ['two'] });
    expect(progress.targetBefore).toEqual(['one']);
    expect(parseCommitMetadata(progress.toCommit?.metadata)).toMatchObject({ topicId: 'id', target: ['two'] });
  });

  test('a partition that the answer with the offsets lacked is read from its beginning, and committed', () => {
    const progress = new PartitionProgress(standing({}), NOW);
    expect(progress.begun).toBe(0);
    progress.watermark.skip(4);
    expect(progress.toCommit).toMatchObject({ partition: 0, offset: 5 });
    progress.committed = 5;
    expect(progress.toCommit).toBeUndefined();
  });

  test('says which leaders wrote what is applied, no more than that, and whoever gets the partition next knows it', () => {
    const progress = new PartitionProgress(standing({}), NOW);
    progress.epochs = [
      { epoch: 2, end: 3 },
      { epoch: 5, end: 9 },
    ];
    progress.watermark.skip(5);
    const written = [
      { epoch: 2, end: 3 },
      { epoch: 5, end: 6 },
    ];
    const metadata = progress.toCommit?.metadata ?? null;
    expect(new PartitionProgress(standing({ committed: 6, metadata }), NOW).epochs).toEqual(written);
    // Nobody knows who wrote what is behind a gap, or of another topic.
    expect(new PartitionProgress(standing({ committed: 6, metadata, low: 8 }), NOW).epochs).toEqual([]);
    const renewed = formatCommitMetadata({ freshAtMs: NOW, topicId: 'before', epochs: written });
    expect(new PartitionProgress(standing({ committed: 6, metadata: renewed }), NOW).epochs).toEqual([]);
  });
});
