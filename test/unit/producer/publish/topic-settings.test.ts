import type { Logger } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { type DescribedTopic, expectUsable, smallerBatch, TopicAdvice } from '#producer/publish/topic-settings.js';

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
    expectUsable(described('tw.a.b'), 'documents');
    expectUsable(described('tw.checkpoints'), 'checkpoints');
    expect(smallerBatch(described('tw.a.b'))).toBeUndefined();
    advice.settings('documents', [described('tw.a.b'), described('tw.a.c', 1, { 'min.insync.replicas': '1' })]);
    expect(lines).toEqual([]);
  });

  it('limit what a topic takes, which must be something, and of checkpoints all', () => {
    const small = described('tw.a.b', 3, { 'max.message.bytes': '1048588' });
    expectUsable(small, 'documents');
    expect(smallerBatch(small)).toBe(1_048_588);
    expect(() => expectUsable(small, 'checkpoints')).toThrow('max.message.bytes=1048588');
    expect(() => expectUsable(described('tw.a.b', 3, { 'max.message.bytes': '1000' }), 'documents')).toThrow('max.message.bytes=1000');
  });

  it.each([
    ['max.message.bytes', '1048588', '20971520'],
    ['delete.retention.ms', '1000', '604800000'],
    ['min.insync.replicas', '1', '2'],
    ['unclean.leader.election.enable', 'true', 'false'],
    ['max.compaction.lag.ms', '1000', '9223372036854775807'],
  ])('that may lose data are told with the command that mends them: %s=%s', (setting, value, better) => {
    const { advice, lines } = adviceWithLog();
    advice.settings('documents', [described('tw.a.b', 3, { [setting]: value }), described('tw.a.c')]);
    expect(lines).toMatchObject([{ code: 'TW1250', topics: ['tw.a.b'] }]);
    expect(lines[0]?.msg).toContain(`${setting}=${value} of tw.a.b (`);
    expect(lines[0]?.msg).toContain(
      `: kafka-configs.sh --bootstrap-server broker:9092 --alter --topic tw.a.b --add-config ${setting}=${better}`,
    );
  });

  it('of the checkpoints count where they lose records, and not where they are only cleaned soon', () => {
    const { advice, lines } = adviceWithLog();
    advice.settings('checkpoints', [described('tw.checkpoints', 3, { 'delete.retention.ms': '1000', 'max.compaction.lag.ms': '1000' })]);
    expect(lines).toEqual([]);
    advice.settings('checkpoints', [described('tw.checkpoints', 3, { 'min.insync.replicas': '1' })]);
    expect(lines).toMatchObject([{ topics: ['tw.checkpoints'] }]);
  });

  it('of many topics are one line, with a command that finds them', () => {
    const { advice, lines } = adviceWithLog();
    const many = Array.from({ length: 500 }, (_, n) => described(`tw.a.c${n}`, 3, { 'min.insync.replicas': '1' }));
    advice.settings('documents', many);
    advice.settings('documents', many);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.msg).toContain('tw.a.c0, tw.a.c1 and 498 more');
    expect(lines[0]?.msg).toContain(`for topic in $(kafka-topics.sh --bootstrap-server broker:9092 --list | grep '^tw\\.[^.]+\\.'); do`);
    expect(lines[0]?.msg.length).toBeLessThan(500);
  });
});
