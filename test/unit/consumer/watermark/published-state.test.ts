import { checkpointKey, Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import { PublishedState } from '#consumer/watermark/published-state.js';
import {
  gapMessage,
  pendingSweep,
  positionMessage,
  snapshotMessage,
  sweepMessage,
  timeMessage,
  topicMessage,
} from '#producer/checkpoint/checkpoint-record.js';

const SOURCE = 'rs0';
let offset = 0n;

/** Takes records as the producer writes them. */
function take(state: PublishedState, ...messages: { key: Buffer; value: Buffer | null }[]): void {
  for (const { key, value } of messages) state.take(key.toString(), value, offset++);
}
const position = (text: string) => positionMessage(SOURCE, Position.parse(text) as Position, 1);
const time = (committed: string, passed?: string, published = 0) =>
  timeMessage(SOURCE, {
    committed: Position.parse(committed) as Position,
    passed: passed === undefined ? undefined : Position.parse(passed),
    writtenAtMs: 5,
    session: 's',
    published,
  });
const covered = (state: PublishedState): string => String(state.sources.get(SOURCE)?.covered);
const running = { state: 'running', ranges: null, documents: 0, total: 1, startedAtMs: 1, finishedAtMs: null } as const;
const gap = { from: '1:1', oldest: null, to: '2:1', detectedAtMs: 1, healedAtMs: null };

describe('up to where a source is published', () => {
  it('is an entry as a whole: behind an operation of a transaction others may follow', () => {
    const state = new PublishedState();
    take(state, position('5:2'));
    expect(covered(state)).toBe('5:2');
    take(state, position('5:4:2'));
    expect(covered(state)).toBe('5:3');
    take(state, position('6:0:1'));
    expect(covered(state)).toBe(`5:${0xffff_ffff}`);
    take(state, time('6:0', '6:0'));
    expect(covered(state)).toBe('6:0');
    // Repeated by a base.
    take(state, position('6:0:1'));
    expect(covered(state)).toBe('6:0');
  });

  it('goes back where the source does', () => {
    const state = new PublishedState();
    take(state, position('9:1'), position('4:1'));
    expect(covered(state)).toBe('4:1');
    state.take(checkpointKey(SOURCE, 'position'), null, 9n);
    expect(covered(state)).toBe('undefined');
  });

  it('rests while nothing is published between two commit times', () => {
    const state = new PublishedState();
    take(state, time('6:0', '6:0', 7));
    const { quiet } = state.sources.get(SOURCE) ?? {};
    take(state, position('7:1'), time('7:1', undefined, 7));
    expect(state.sources.get(SOURCE)?.quiet).toEqual({ key: quiet?.key, covered: Position.parse('7:1') });
    take(state, time('7:1', undefined, 8));
    expect(state.sources.get(SOURCE)?.quiet?.key).not.toBe(quiet?.key);
  });
});

describe('what a namespace lacks', () => {
  it('is its copy, its sweep, or what a gap lost', () => {
    const state = new PublishedState();
    take(state, topicMessage(SOURCE, 'shop.orders', { partitions: 3, id: 'a' }), snapshotMessage(SOURCE, 'shop.new', running));
    expect([...state.namespaces()]).toEqual(['shop.orders', 'shop.new']);
    expect(state.topics.get('shop.orders')).toEqual({ partitions: 3, id: 'a', sources: new Set([SOURCE]) });
    expect([state.unfinished('shop.orders'), state.unfinished('shop.new')]).toEqual([undefined, 'the copy of shop.new is under way']);
    take(state, sweepMessage(SOURCE, 'shop.orders', pendingSweep('drop')), snapshotMessage(SOURCE, 'shop.new', null));
    expect([state.unfinished('shop.orders'), [...state.namespaces()]]).toEqual([
      'what was deleted of shop.orders is being looked for',
      ['shop.orders'],
    ]);
    take(state, sweepMessage(SOURCE, 'shop.orders', { ...pendingSweep('drop'), state: 'done' }), gapMessage(SOURCE, gap));
    expect(state.unfinished('shop.orders')).toBe('a gap in the oplog of rs0 is being healed');
    take(state, gapMessage(SOURCE, { ...gap, healedAtMs: 3 }));
    expect(state.unfinished('shop.orders')).toBeUndefined();
  });

  it('takes nothing that is not a checkpoint, and says what it does not understand', () => {
    const state = new PublishedState();
    state.take('odd', Buffer.from('x'), 0n);
    expect(state.sources.size).toBe(0);
    expect(() => state.take('rs0/position', Buffer.from('{"position":"x"}'), 0n)).toThrow('its position is x');
  });
});
