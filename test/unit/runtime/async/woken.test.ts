import { woken } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('woken', () => {
  it('resolves when it is woken, and when the signal aborts or has', async () => {
    const stop = new AbortController();
    await woken(stop.signal, (wake) => setImmediate(wake));
    const waiting = woken(stop.signal, () => undefined);
    stop.abort();
    await waiting;
    await woken(stop.signal, () => expect.unreachable());
  });
});
