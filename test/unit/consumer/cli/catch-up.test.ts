import { Writable } from 'node:stream';
import { createLogger } from '@tailwater/runtime';
import { describe, expect, test } from 'vitest';
import { catchUpDisplay } from '#consumer/cli/catch-up.js';
import type { Pipeline } from '#consumer/pipeline.js';

class Terminal extends Writable {
  readonly isTTY = true;
  readonly columns = 120;
  text = '';

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

async function shown(backlogs: readonly { done: number; left: number }[]): Promise<string> {
  const terminal = new Terminal();
  const stop = new AbortController();
  let at = 0;
  const pipeline = {
    get backlog() {
      const backlog = backlogs[Math.min(at, backlogs.length - 1)] as { done: number; left: number };
      if (at === backlogs.length) stop.abort();
      at += 1;
      return backlog;
    },
    get isInStep() {
      return this.backlog.left === 0;
    },
  };
  const logger = createLogger({ name: 'test', level: 'silent' });
  await catchUpDisplay(pipeline as unknown as Pipeline, terminal as unknown as NodeJS.WriteStream, logger).run(stop.signal);
  return terminal.text;
}

describe('catchUpDisplay', () => {
  test('shows how far a long way is, how fast it goes, and how long it takes', async () => {
    const text = await shown([
      { done: 0, left: 4000 },
      { done: 1000, left: 3000 },
      { done: 4000, left: 0 },
    ]);
    expect(text).toContain('catching up');
    expect(text).toMatch(/25 % \| 1,000 of 4,000 records \| [\d.,k]+\/s \| .* left/);
  });

  test('says nothing about the few records that are always on their way', async () => {
    expect(
      await shown([
        { done: 0, left: 12 },
        { done: 12, left: 3 },
      ]),
    ).toBe('');
  });
});
