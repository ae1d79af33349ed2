import { PassThrough } from 'node:stream';
import { createLogger, createProgress } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

function setUp(terminal: boolean, columns = 200) {
  const stream = Object.assign(new PassThrough(), terminal ? { isTTY: true, columns } : {});
  const lines: string[] = [];
  let nowMs = 0;
  const logger = createLogger({
    name: 'x',
    format: 'json',
    destination: { write: (line) => void lines.push(String(JSON.parse(line).msg)) },
  });
  const clock = { now: () => nowMs, monotonic: () => nowMs };
  const progress = createProgress({ stream, logger, label: 'snapshot', unit: 'documents', clock });
  return {
    progress,
    lines,
    advance: (ms: number) => {
      nowMs += ms;
    },
    drawn: () =>
      String(stream.read() ?? '')
        .replaceAll('\r', '')
        .split('\u001b[K'),
  };
}

describe('on a terminal', () => {
  it('draws bar, percentage, count, rate and the time left on one line', () => {
    const { progress, drawn, lines } = setUp(true);
    progress.update({ done: 2500, total: 10_000, rate: 500.4, etaSeconds: 15 });
    expect(drawn()).toEqual([`snapshot ${'█'.repeat(6)}${'░'.repeat(18)} 25 % | 2,500 of 10,000 documents | 500/s | 15 s left`, '']);
    expect(lines).toEqual([]);
  });

  it('draws at most ten times a second', () => {
    const { progress, drawn, advance } = setUp(true);
    for (let done = 0; done < 1000; done++) {
      progress.update({ done, total: 1000 });
      advance(1);
    }
    expect(drawn()).toHaveLength(11);
  });

  it('draws neither bar nor share while the total is unknown', () => {
    const { progress, drawn } = setUp(true);
    progress.update({ done: 7 });
    expect(drawn()[0]).toBe('snapshot 7 documents');
  });

  it('never wraps, and takes counts beyond the total', () => {
    const { progress, drawn } = setUp(true, 20);
    progress.update({ done: 12, total: 10 });
    expect(drawn()[0]).toBe('snapshot 100 % | 12');
  });

  it.each([
    [120, 24],
    [80, 12],
    [72, 0],
  ])('leaves the figures whole on %i columns, with a bar of %i', (columns, bar) => {
    const { progress, drawn } = setUp(true, columns);
    progress.update({ done: 100_000, total: 200_000, rate: 12_345, etaSeconds: 9 });
    const [line = ''] = drawn();
    expect(line).toMatch(/50 % \| 100,000 of 200,000 documents \| 12,345\/s \| 9 s left$/);
    expect(line.length).toBeLessThan(columns);
    expect([...line].filter((each) => '█░'.includes(each)).length).toBe(bar);
  });

  it('removes the bar and logs the summary in the end', () => {
    const { progress, drawn, lines } = setUp(true);
    progress.update({ done: 1, total: 1 });
    drawn();
    progress.finish('1 document');
    expect(drawn()).toEqual(['', '']);
    expect(lines).toEqual(['snapshot: 1 document']);
  });
});

describe('elsewhere', () => {
  it('logs a line every 30 s and the summary', () => {
    const { progress, lines, advance, drawn } = setUp(false);
    for (let second = 0; second <= 65; second++) {
      progress.update({ done: second * 10, total: 1000, rate: 10 });
      advance(1000);
    }
    progress.finish('stopped');
    expect(lines).toEqual([
      'snapshot: 30 % | 300 of 1,000 documents | 10/s',
      'snapshot: 60 % | 600 of 1,000 documents | 10/s',
      'snapshot: stopped',
    ]);
    expect(drawn()).toEqual(['']);
  });
});
