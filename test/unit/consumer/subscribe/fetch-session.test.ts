import { describe, expect, test } from 'vitest';
import { FetchSession } from '#consumer/subscribe/fetch-session.js';

const at = (partition: number, offset: number) => ({ topic: 't', partition, offset });

describe('FetchSession', () => {
  test('names everything at first, then only what changed, and what is not wanted any more', () => {
    const session = new FetchSession();
    expect(session.request([at(0, 5), at(1, 7)])).toEqual({ session: { id: 0, epoch: 0 }, positions: [at(0, 5), at(1, 7)], forgotten: [] });
    session.answered(42);
    expect(session.request([at(0, 6), at(1, 7)])).toEqual({ session: { id: 42, epoch: 1 }, positions: [at(0, 6)], forgotten: [] });
    session.answered(42);
    expect(session.request([at(0, 6)])).toEqual({
      session: { id: 42, epoch: 2 },
      positions: [],
      forgotten: [{ topic: 't', partition: 1 }],
    });
    session.answered(42);
    expect(session.request([at(0, 6), at(1, 7)]).positions).toEqual([at(1, 7)]);
  });

  test('begins anew when the broker has forgotten, did not answer, or keeps no session', () => {
    for (const forget of [(session: FetchSession) => session.reset(), (session: FetchSession) => session.answered(0)]) {
      const session = new FetchSession();
      session.request([at(0, 5)]);
      session.answered(42);
      session.request([at(0, 5)]);
      forget(session);
      expect(session.request([at(0, 5)])).toEqual({ session: { id: 0, epoch: 0 }, positions: [at(0, 5)], forgotten: [] });
    }
  });
});
