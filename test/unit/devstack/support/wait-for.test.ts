import { describe, expect, it } from 'vitest';
import { WaitTimeoutError } from '#devstack/errors.js';
import { waitFor } from '#devstack/support/wait-for.js';

const quick = { intervalMs: 1, timeoutMs: 40 };

describe('waitFor', () => {
  it('returns the value that met the condition', async () => {
    let readings = 0;
    await expect(waitFor(() => ++readings, { ...quick, until: (value) => value === 3 })).resolves.toBe(3);
    expect(readings).toBe(3);
  });

  it('takes any truthy value without `until`', async () => {
    const values = [undefined, 0, '', 'there'];
    await expect(waitFor(() => values.shift(), quick)).resolves.toBe('there');
  });

  it('takes an error for not yet', async () => {
    let attempts = 0;
    const condition = () => {
      if (++attempts < 3) throw new Error('not yet');
      return 'now';
    };
    await expect(waitFor(condition, quick)).resolves.toBe('now');
  });

  it('says what was waited for and what was seen last', async () => {
    const waiting = waitFor(() => ({ documents: 7 }), { ...quick, until: () => false, describe: '10 documents' });
    await expect(waiting).rejects.toThrow(WaitTimeoutError);
    await expect(waiting).rejects.toThrow(/waited 40 ms for 10 documents; last seen: \{ documents: 7 \}/);
  });

  it('describes with the last value, and names the last error', async () => {
    const failing = waitFor<number>(() => Promise.reject(new Error('connection refused')), {
      ...quick,
      describe: (seen) => `more than ${seen}`,
    });
    await expect(failing).rejects.toThrow('waited 40 ms for more than undefined; last error: Error: connection refused');
  });

  it('gives up on a reading that never returns', async () => {
    await expect(waitFor(() => new Promise<never>(() => undefined), quick)).rejects.toThrow('the last reading did not return');
  });

  it('ends with the reason of its signal', async () => {
    const controller = new AbortController();
    const hanging = waitFor(() => new Promise<never>(() => undefined), { timeoutMs: 60_000, signal: controller.signal });
    const waiting = waitFor(() => false, { intervalMs: 1, timeoutMs: 60_000, signal: controller.signal });
    controller.abort(new Error('the server has ended'));
    for (const { reason } of (await Promise.allSettled([hanging, waiting])) as PromiseRejectedResult[]) {
      expect(String(reason)).toBe('Error: the server has ended');
    }
    await expect(waitFor(() => true, { signal: controller.signal })).rejects.toThrow('the server has ended');
  });
});
