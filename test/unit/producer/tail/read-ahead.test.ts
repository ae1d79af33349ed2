import { setImmediate as turn } from 'node:timers/promises';
import { Position } from '@tailwater/schema';
import { describe, expect, it } from 'vitest';
import type { ChangeSource, EntryBatch } from '#producer/source/source.js';
import { readAhead } from '#producer/tail/read-ahead.js';

const START = new Position(1, 0);
const never = new AbortController().signal;

const batch = (i: number, entries: number, bytes = 1): EntryBatch => ({
  entries: Array.from({ length: entries }, (_, n) => Buffer.alloc(bytes, `${i}.${n}`)),
  end: new Position(1, i),
  isWhole: i % 2 === 0,
});

/** Hands out what the test gives it, and notes how much of it was asked for. */
class GivenReads implements ChangeSource {
  asked = 0;
  closed = false;
  #wake = (): void => {};
  readonly #given: (EntryBatch | Error | 'end')[] = [];

  async give(...reads: (EntryBatch | Error | 'end')[]): Promise<void> {
    this.#given.push(...reads);
    this.#wake();
    await turn();
  }

  async *read(_: Position, signal: AbortSignal): AsyncGenerator<EntryBatch> {
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    try {
      while (!signal.aborted) {
        const next = this.#given.shift();
        if (next === 'end') return;
        if (next instanceof Error) throw next;
        if (next === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          continue;
        }
        this.asked += 1;
        yield next;
      }
    } finally {
      this.closed = true;
    }
  }

  async newestPosition(): Promise<Position> {
    return START;
  }
}

/** Busy until the test says that nothing is on its way. */
class Way {
  #free = (): void => {};
  readonly untilFree = (): Promise<void> =>
    new Promise((resolve) => {
      this.#free = resolve;
    });

  async free(): Promise<void> {
    await turn();
    this.#free();
    await turn();
  }
}

function start(signal = never) {
  const source = new GivenReads();
  const way = new Way();
  return { source, way, batches: readAhead(source, START, way.untilFree, 4 * 1024 * 1024, signal) };
}

const seen = (result: IteratorResult<EntryBatch, void>) =>
  result.done ? 'done' : { entries: result.value.entries.length, end: result.value.end.i, isWhole: result.value.isWhole };

describe('readAhead', () => {
  it('joins what comes while something is on its way', async () => {
    const { source, way, batches } = start();
    const next = batches.next();
    await source.give(batch(1, 1), batch(2, 3), batch(3, 2));
    await way.free();
    expect(seen(await next)).toEqual({ entries: 6, end: 3, isWhole: false });
  });

  it('keeps the order and the bytes of the entries', async () => {
    const { source, way, batches } = start();
    const next = batches.next();
    await source.give(batch(1, 2, 3), batch(2, 1, 3));
    await way.free();
    const { value } = await next;
    expect((value as EntryBatch).entries.map(String)).toEqual(['1.0', '1.1', '2.0']);
  });

  it('hands on at once what is full', async () => {
    const { source, batches } = start();
    const next = batches.next();
    await source.give(batch(1, 1500), batch(2, 499), batch(3, 1));
    expect(seen(await next)).toEqual({ entries: 2000, end: 3, isWhole: false });
    const large = batches.next();
    await source.give(batch(4, 1, 5_000_000));
    expect(seen(await large)).toEqual({ entries: 1, end: 4, isWhole: true });
  });

  it('reads no further while what waits is full', async () => {
    const { source, batches } = start();
    const next = batches.next();
    await source.give(batch(1, 2000));
    await next;
    await source.give(batch(2, 2000), batch(3, 1), batch(4, 1));
    expect(source.asked).toBe(2);
    await batches.next();
    await turn();
    expect(source.asked).toBe(4);
  });

  it('hands on at once that a read brought nothing, and only the last of such reads', async () => {
    const { source, batches } = start();
    const next = batches.next();
    await source.give(batch(1, 0));
    expect(seen(await next)).toEqual({ entries: 0, end: 1, isWhole: false });
    await source.give(batch(2, 0), batch(3, 0));
    expect(seen(await batches.next())).toEqual({ entries: 0, end: 3, isWhole: false });
  });

  it('does not mix entries with a read that brought nothing', async () => {
    const { source, way, batches } = start();
    const next = batches.next();
    await source.give(batch(1, 1), batch(2, 0));
    await way.free();
    expect(seen(await next)).toEqual({ entries: 1, end: 1, isWhole: false });
    expect(seen(await batches.next())).toEqual({ entries: 0, end: 2, isWhole: true });
  });

  it('throws what the source throws, behind what was read before', async () => {
    const { source, batches } = start();
    const next = batches.next();
    await source.give(batch(1, 1), new Error('lost'));
    expect(seen(await next)).toEqual({ entries: 1, end: 1, isWhole: false });
    await expect(batches.next()).rejects.toThrow('lost');
  });

  it('ends with the source', async () => {
    const { source, batches } = start();
    const next = batches.next();
    await source.give(batch(1, 1), 'end');
    await next;
    expect(seen(await batches.next())).toBe('done');
  });

  it('ends with the signal, whatever is on its way', async () => {
    const stop = new AbortController();
    const { source, batches } = start(stop.signal);
    const next = batches.next();
    await source.give(batch(1, 1));
    stop.abort();
    expect(seen(await next)).toEqual({ entries: 1, end: 1, isWhole: false });
    expect(seen(await batches.next())).toBe('done');
  });

  it('closes the source when it is read no longer', async () => {
    const { source, batches } = start();
    const next = batches.next();
    await source.give(batch(1, 2000), batch(2, 2000), batch(3, 2000));
    await next;
    await batches.return(undefined);
    expect(source.closed).toBe(true);
  });
});
