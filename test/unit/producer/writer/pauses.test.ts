import { describe, expect, it } from 'vitest';
import { Pauses } from '#producer/writer/pauses.js';

const never = new AbortController().signal;

describe('Pauses', () => {
  it('lets through what is not paused', async () => {
    await new Pauses().untilResumed('tail', never);
    await new Pauses({ snapshots: true, tail: false }).untilResumed('tail', never);
  });

  it('holds what is, until it is resumed', async () => {
    const pauses = new Pauses({ snapshots: true, tail: true });
    const passed: string[] = [];
    const waiting = (['snapshots', 'tail'] as const).map(async (what) => {
      await pauses.untilResumed(what, never);
      passed.push(what);
    });
    pauses.set({ snapshots: true, tail: false });
    await waiting[1];
    expect(passed).toEqual(['tail']);
    pauses.set({ snapshots: false, tail: false });
    await waiting[0];
  });

  it('ends its wait when it is told to stop', async () => {
    const stop = new AbortController();
    const waiting = new Pauses({ snapshots: true, tail: false }).untilResumed('snapshots', stop.signal);
    stop.abort();
    await waiting;
  });
});
