import { runServices, type Service } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const aborted = (signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

function untilAborted(log: string[], name: string): Service {
  return {
    async run(signal) {
      await aborted(signal);
      log.push(`${name} stopping`);
      await Promise.resolve();
      log.push(`${name} stopped`);
    },
  };
}

describe('runServices', () => {
  it('ends when the signal aborts and every service has stopped', async () => {
    const log: string[] = [];
    const stop = new AbortController();
    const running = runServices([untilAborted(log, 'a'), untilAborted(log, 'b')], stop.signal);
    stop.abort();
    await running;
    expect(log).toEqual(['a stopping', 'b stopping', 'a stopped', 'b stopped']);
  });

  it('aborts the others when one fails, awaits them, and throws the first error', async () => {
    const log: string[] = [];
    const first = new Error('first');
    const failing: Service = { run: () => Promise.reject(first) };
    const failingLater: Service = {
      async run(signal) {
        await aborted(signal);
        throw new Error('a consequence');
      },
    };
    await expect(runServices([untilAborted(log, 'a'), failing, failingLater], new AbortController().signal)).rejects.toBe(first);
    expect(log).toEqual(['a stopping', 'a stopped']);
  });

  it('lets a service be done before the others', async () => {
    const log: string[] = [];
    const stop = new AbortController();
    const running = runServices([{ run: () => Promise.resolve() }, untilAborted(log, 'a')], stop.signal);
    await Promise.resolve();
    expect(log).toEqual([]);
    stop.abort();
    await running;
    expect(log).toHaveLength(2);
  });

  it('takes a service that throws before its first await', async () => {
    const failing: Service = {
      run() {
        throw new Error('at once');
      },
    };
    await expect(runServices([failing], new AbortController().signal)).rejects.toThrow('at once');
  });
});
