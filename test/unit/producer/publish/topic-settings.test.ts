import { type DescribedTopic, type Logger, TopicAdvice } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { assertUsable, CHECKPOINTS, DEAD_LETTERS, DOCUMENTS, SIGNALS, smallerBatch } from '#producer/publish/topic-settings.js';

const GOOD = {
  'cleanup.policy': 'compact',
  'max.message.bytes': '20971520',
  'delete.retention.ms': '604800000',
  'min.insync.replicas': '2',
  'unclean.leader.election.enable': 'false',
  'max.compaction.lag.ms': '9223372036854775807',
};

const described = (topic: string, replicas = 3, settings: Record<string, string> = {}): DescribedTopic => ({
  topic,
  replicas,
  settings: new Map(Object.entries({ ...GOOD, ...settings })),
});

interface Line {
  readonly code: string;
  readonly topics: readonly string[];
  readonly msg: string;
}

function adviceWithLog(): { advice: TopicAdvice; lines: Line[] } {
  const lines: Line[] = [];
  const logger = { warn: (fields: Omit<Line, 'msg'>, msg: string) => lines.push({ ...fields, msg }) } as unknown as Logger;
  return { advice: new TopicAdvice('broker:9092', 'tw', logger), lines };
}

describe('settings of topics', () => {
  it('are good as they are made, whatever the replicas', () => {
    const { advice, lines } = adviceWithLog();
    assertUsable(described('tw.a.b'), DOCUMENTS);
    assertUsable(described('tw.checkpoints'), CHECKPOINTS);
    expect(smallerBatch(described('tw.a.b'))).toBeUndefined();
    advice.found(DOCUMENTS, [described('tw.a.b'), described('tw.a.c', 2, { 'min.insync.replicas': '1' })], 3);
    expect(lines).toEqual([]);
  });

  it('limit what a topic takes, which must be something, and of checkpoints all', () => {
    const small = described('tw.a.b', 3, { 'max.message.bytes': '1048588' });
    assertUsable(small, DOCUMENTS);
    expect(smallerBatch(small)).toBe(1_048_588);
    expect(() => assertUsable(small, CHECKPOINTS)).toThrow('max.message.bytes=1048588');
    expect(() => assertUsable(described('tw.a.b', 3, { 'max.message.bytes': '1000' }), DOCUMENTS)).toThrow('max.message.bytes=1000');
  });

  it.each([
    ['max.message.bytes', '1048588', '20971520'],
    ['delete.retention.ms', '1000', '604800000'],
    ['min.insync.replicas', '1', '2'],
    ['unclean.leader.election.enable', 'true', 'false'],
    ['max.compaction.lag.ms', '1000', '9223372036854775807'],
  ])('that may lose data are told with the command that mends them: %s=%s', (setting, value, better) => {
    const { advice, lines } = adviceWithLog();
    advice.found(DOCUMENTS, [described('tw.a.b', 3, { [setting]: value }), described('tw.a.c')], 3);
    expect(lines).toMatchObject([{ code: 'TW1250', topics: ['tw.a.b'] }]);
    expect(lines[0]?.msg).toContain(`${setting}=${value} of tw.a.b (`);
    expect(lines[0]?.msg).toContain(
      `: kafka-configs.sh --bootstrap-server broker:9092 --alter --topic tw.a.b --add-config ${setting}=${better}`,
    );
  });

  it('of the checkpoints count where they lose records, and not where they are only cleaned soon', () => {
    const { advice, lines } = adviceWithLog();
    advice.found(CHECKPOINTS, [described('tw.checkpoints', 3, { 'delete.retention.ms': '1000', 'max.compaction.lag.ms': '1000' })], 3);
    expect(lines).toEqual([]);
    advice.found(CHECKPOINTS, [described('tw.checkpoints', 3, { 'min.insync.replicas': '1' })], 3);
    expect(lines).toMatchObject([{ topics: ['tw.checkpoints'] }]);
  });

  it('of many topics are one line, with a command that finds them', () => {
    const { advice, lines } = adviceWithLog();
    const many = Array.from({ length: 500 }, (_, n) => described(`tw.a.c${n}`, 3, { 'min.insync.replicas': '1' }));
    advice.found(DOCUMENTS, many, 3);
    advice.found(DOCUMENTS, many, 3);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.msg).toContain('tw.a.c0, tw.a.c1 and 498 more');
    expect(lines[0]?.msg).toContain(`for topic in $(kafka-topics.sh --bootstrap-server broker:9092 --list | grep '^tw\\.[^.]+\\.'); do`);
    expect(lines[0]?.msg.length).toBeLessThan(500);
  });

  it.each([
    [SIGNALS, 'retention.ms', '1000', '604800000'],
    [DEAD_LETTERS, 'retention.ms', '1000', '2592000000'],
    [DEAD_LETTERS, 'retention.bytes', '1048576', '-1'],
    [DEAD_LETTERS, 'max.message.bytes', '1048588', '20971520'],
    [SIGNALS, 'min.insync.replicas', '1', '2'],
    [DEAD_LETTERS, 'unclean.leader.election.enable', 'true', 'false'],
  ])('of a log count where what is in it may go unread: %o', (use, setting, value, better) => {
    const { advice, lines } = adviceWithLog();
    const good = { 'retention.ms': '-1', 'retention.bytes': '-1' };
    advice.found(use, [described('tw.good', 3, good)], 3);
    expect(lines).toEqual([]);
    advice.found(use, [described('tw.log', 3, { ...good, [setting]: value })], 3);
    expect(lines).toMatchObject([{ code: 'TW1250', topics: ['tw.log'] }]);
    expect(lines[0]?.msg).toContain(`--add-config ${setting}=${better}`);
  });

  it('are told together with one replica on several brokers, once for all that topics are for; on one broker it is not told', () => {
    const { advice, lines } = adviceWithLog();
    const alone = (topic: string): DescribedTopic => described(topic, 1, { 'min.insync.replicas': '1' });
    advice.found(DOCUMENTS, [alone('tw.a.a')], 1);
    advice.found(DOCUMENTS, [described('tw.a.b'), described('tw.a.c', 2)], 3);
    expect(lines).toEqual([]);
    advice.found(DOCUMENTS, [alone('tw.a.d'), alone('tw.a.e')], 3);
    advice.found(DOCUMENTS, [alone('tw.a.f')], 3);
    advice.found(CHECKPOINTS, [alone('tw.checkpoints')], 3);
    expect(lines).toMatchObject([
      { code: 'TW1252', topics: ['tw.a.d', 'tw.a.e'] },
      { code: 'TW1252', topics: ['tw.checkpoints'] },
    ]);
  });
});
