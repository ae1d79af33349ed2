import { abortable } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('abortable', () => {
  it('settles as the work does', async () => {
    const { signal } = new AbortController();
    await expect(abortable(Promise.resolve(7), signal)).resolves.toBe(7);
    await expect(abortable(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  });

  it('rejects with the reason of the abort, and swallows what the work does later', async () => {
    const stop = new AbortController();
    let fail = (_: Error): void => {};
    const work = new Promise<number>((_, reject) => {
      fail = reject;
    });
    const waiting = abortable(work, stop.signal);
    stop.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    fail(new Error('unheard'));
  });

  it('does not wait at all on a signal that has aborted', async () => {
    await expect(abortable(new Promise(() => {}), AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });
});
