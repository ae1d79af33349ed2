import { describe, expect, it } from 'vitest';
import { DevstackError } from '#devstack/errors.js';
import { startAll, stopAll } from '#devstack/start-all.js';

function disposable(name: string, log: string[]): AsyncDisposable & { readonly name: string } {
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      log.push(`${name} stopped`);
    },
  };
}

describe('startAll', () => {
  it('returns what was started under its name', async () => {
    const started = await startAll({ a: async () => disposable('a', []), b: async () => disposable('b', []) });
    expect([started.a.name, started.b.name]).toEqual(['a', 'b']);
  });

  it('stops the others when one fails, also those that come up later', async () => {
    const log: string[] = [];
    const slow = new Promise<AsyncDisposable>((resolve) => setImmediate(() => resolve(disposable('slow', log))));
    const starting = startAll({
      quick: async () => disposable('quick', log),
      broken: () => Promise.reject(new Error('no Java')),
      slow: () => slow,
    });
    await expect(starting).rejects.toThrow('no Java');
    expect(log).toEqual(['quick stopped', 'slow stopped']);
  });
});

describe('stopAll', () => {
  it('stops everything, and then says what could not be stopped', async () => {
    const log: string[] = [];
    const stuck = { [Symbol.asyncDispose]: () => Promise.reject(new Error('stuck')) };
    const stopping = stopAll([stuck, disposable('b', log)]);
    await expect(stopping).rejects.toThrow(DevstackError);
    await expect(stopping).rejects.toThrow('Not everything could be stopped: Error: stuck');
    expect(log).toEqual(['b stopped']);
  });
});
