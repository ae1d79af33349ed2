import { setImmediate as turn } from 'node:timers/promises';
import { Mutex } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('Mutex', () => {
  it('runs one task at a time, in the order of their coming', async () => {
    const mutex = new Mutex();
    const log: string[] = [];
    const task = (name: string, turns: number) => async () => {
      log.push(`${name} begins`);
      for (let n = 0; n < turns; n++) await turn();
      log.push(`${name} ends`);
      return name;
    };
    const results = await Promise.all([mutex.run(task('a', 5)), mutex.run(task('b', 0)), mutex.run(task('c', 2))]);
    expect(results).toEqual(['a', 'b', 'c']);
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('gives a failure to its caller, and goes on', async () => {
    const mutex = new Mutex();
    const failing = mutex.run(() => Promise.reject(new Error('broken')));
    const next = mutex.run(async () => 'next');
    await expect(failing).rejects.toThrow('broken');
    await expect(next).resolves.toBe('next');
  });
});
