// When a producer is ready, and what it says when it is not.
import { Position } from '@tailwater/schema';
import { expect, it } from 'vitest';
import { publishedOf, readiness } from '#producer/cli/state-report.js';
import { ProducerState } from '#producer/session/producer-state.js';

const session = (more: object = {}) => ({
  status: () => ({
    position: new Position(100, 1),
    paused: { snapshots: false, tail: false },
    sweeps: [],
    quarantine: [],
    publishingMs: undefined,
    ...more,
  }),
});

function producer(phase: ProducerState['phase'], more: object = {}): ProducerState {
  const state = new ProducerState();
  state.begun(session(more));
  state.phase = phase;
  return state;
}

const WELL = {
  health: { trouble: undefined },
  commitPoint: { ageSeconds: 1, heldBack: undefined },
  headroom: { last: undefined },
  kafka: { reason: undefined },
  stall: { forMs: undefined },
};

it.each<[string, ProducerState, object, RegExp | undefined]>([
  ['it runs', producer('running'), {}, undefined],
  ['it recovers', Object.assign(producer('recovering'), { lastError: 'TW1211' }), {}, /^TW1211$/],
  ['Kafka does not answer', producer('running'), { kafka: { reason: 'Kafka at k has not answered for 7 s' } }, /^Kafka at k/],
  [
    'a transaction is not committed',
    producer('running', { publishingMs: 12_000 }),
    {},
    /^Kafka has not committed what was sent to it 12 s ago$/,
  ],
  [
    'MongoDB says nothing',
    producer('running'),
    { commitPoint: { ageSeconds: 9, heldBack: undefined } },
    /^MongoDB cannot be read: no member has answered for 9 s$/,
  ],
  ['the tail stands still', producer('running'), { stall: { forMs: 11_000 } }, /^nothing was published for 11 s/],
  ['the oplog is nearly over', producer('running'), { headroom: { last: { leftPercent: 7 } } }, /^only 7 % of the oplog/],
])('%s', (_, state, more, reason) => {
  const { ready, reasons } = readiness({ state, ...WELL, ...more } as never);
  expect(ready).toBe(reason === undefined);
  expect(reasons.length).toBe(reason === undefined ? 0 : 1);
  if (reason !== undefined) expect(reasons[0]).toMatch(reason);
});

it('is ready as a standby that could take over, whatever its session before left', () => {
  const state = producer('running', { publishingMs: 60_000 });
  state.standBy();
  expect(readiness({ state, ...WELL, stall: { forMs: 60_000 } })).toEqual({ ready: true, isStandby: true, reasons: [] });
  expect(readiness({ state, ...WELL, kafka: { reason: 'away' } })).toEqual({ ready: false, reasons: ['away'] });
});

it.each<[string, ProducerState, number | undefined, boolean, boolean]>([
  ['behind', producer('running'), 1, false, true],
  ['at the end', producer('running'), 0, false, false],
  ['unknown', producer('running'), undefined, false, false],
  ['paused', producer('running', { paused: { snapshots: true, tail: true } }), 100, false, false],
  ['starting', producer('starting'), 100, false, false],
  ['idle behind a mongos, whose shards write a no-op every ten seconds', producer('running'), 12, true, false],
  ['behind a mongos', producer('running'), 30, true, true],
])('%s: waits %s', (_, state, behindS, isMongos, isWaiting) => {
  expect(publishedOf(state, { lagSeconds: () => behindS }, isMongos)).toEqual({ isWaiting, done: '100:1' });
});
