import { abortable } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('abortable', () => {
  it('settles as the work does', async () => {
    const { signal } = new AbortController();
    await expect(abortable(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(abortable(Promise.reject(new Error('boom')), signal)).rejects.toThrow('boom');
  });

  it('rejects with the reason once the signal aborts, and hides what the work does later', async () => {
    const stop = new AbortController();
    let fail = (_: Error): void => {};
    const work = new Promise<never>((_, reject) => {
      fail = reject;
    });
    const waiting = abortable(work, stop.signal);
    stop.abort(new Error('stopped'));
    await expect(waiting).rejects.toThrow('stopped');
    fail(new Error('late'));
    await expect(abortable(work, stop.signal)).rejects.toThrow('stopped');
  });
});
