import { describe, expect, it } from 'vitest';
import { SourceHealth } from '#producer/source/mongo/source-health.js';
import { keptLog } from '#test/integration/producer/support/kept-log.js';

const signal = new AbortController().signal;

function health() {
  const { logger, lines } = keptLog();
  let nowMs = 0;
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  const told = () => lines.map(({ msg }) => msg);
  return { health: new SourceHealth(logger, { minMs: 0, maxMs: 0 }, clock), told, pass: (ms: number) => (nowMs += ms) };
}

describe('SourceHealth', () => {
  it('tells of one outage, however many feel it, once a minute, and of its end when something was published', async () => {
    const { health: source, told, pass } = health();
    const readers = [source.reader(), source.reader()];
    for (let second = 0; second < 150; second++) {
      for (const reader of readers) await reader.failed(new Error('refused'), signal);
      source.confirmed(); // What was read before it began.
      pass(1000);
    }
    expect(told()).toEqual([
      'MongoDB cannot be read, trying again until it can: refused',
      expect.stringMatching(/^MongoDB still cannot be read, for 1 min/),
      expect.stringMatching(/^MongoDB still cannot be read, for 2 min/),
    ]);
    readers[0]?.answered();
    source.confirmed();
    expect([source.trouble?.reason, told().length]).toEqual(['refused', 3]);
    readers[1]?.close();
    expect(source.trouble?.reason).toBe('refused');
    source.confirmed();
    source.confirmed();
    expect([source.trouble, told().slice(3)]).toEqual([undefined, [expect.stringMatching(/^MongoDB is read again, after 2 min 30 s/)]]);
  });

  it('reads until it succeeds, or fails for good', async () => {
    const { health: source, told } = health();
    let reads = 0;
    const read = async (): Promise<number> => {
      reads += 1;
      if (reads < 5) throw Object.assign(new Error('reset'), { code: 'ECONNRESET' });
      return reads;
    };
    expect(await source.persist(read, signal, { namespace: 'shop.orders' })).toBe(5);
    expect(told().length).toBe(1);
    await expect(source.persist(() => Promise.reject(new TypeError('a defect')), signal, {})).rejects.toThrow('a defect');
    source.confirmed();
    expect(told().length).toBe(2);
  });
});
