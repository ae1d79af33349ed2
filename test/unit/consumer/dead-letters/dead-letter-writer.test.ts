import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { DeadLetterMessage } from '#consumer/dead-letters/dead-letter.js';
import { DeadLetterWriter } from '#consumer/dead-letters/dead-letter-writer.js';

const letter = (key: string, bytes = 10): DeadLetterMessage => ({ key, value: Buffer.alloc(bytes), headers: {} });

/** Acknowledges, or fails, when the test says so. */
class HeldSender {
  readonly sends: string[][] = [];
  #ends: { done: () => void; failed: (error: unknown) => void }[] = [];

  async send(letters: readonly DeadLetterMessage[]): Promise<void> {
    this.sends.push(letters.map(({ key }) => key));
    await new Promise<void>((done, failed) => this.#ends.push({ done, failed }));
  }

  get inFlight(): number {
    return this.#ends.length;
  }

  async answer(error?: Error): Promise<void> {
    const end = this.#ends.shift();
    if (error === undefined) end?.done();
    else end?.failed(error);
    await turn();
  }
}

describe('LetterWriter', () => {
  test('one send in flight; what comes meanwhile shares the next; each is done with its own acknowledgement', async () => {
    const sender = new HeldSender();
    const writer = new DeadLetterWriter(sender);
    const done: string[] = [];
    for (const key of ['a', 'b', 'c']) void writer.write(letter(key)).then(() => done.push(key));
    await turn();
    expect([sender.sends, sender.inFlight]).toEqual([[['a']], 1]);
    await sender.answer();
    expect(done).toEqual(['a']);
    expect([sender.sends, sender.inFlight]).toEqual([[['a'], ['b', 'c']], 1]);
    await sender.answer();
    expect(done).toEqual(['a', 'b', 'c']);
  });

  test('a large letter goes alone', async () => {
    const sender = new HeldSender();
    const writer = new DeadLetterWriter(sender);
    const writes = [letter('first'), letter('small'), letter('large', 20_000_000), letter('last')].map((each) => writer.write(each));
    for (let n = 0; n < 4; n++) await sender.answer();
    await Promise.all(writes);
    expect(sender.sends).toEqual([['first'], ['small'], ['large'], ['last']]);
  });

  test('a send that fails fails its letters, and no others', async () => {
    const sender = new HeldSender();
    const writer = new DeadLetterWriter(sender);
    const [first, second] = [writer.write(letter('a')), writer.write(letter('b'))];
    const failed = expect(first).rejects.toThrow('no');
    await turn();
    await sender.answer(new Error('no'));
    await failed;
    await sender.answer();
    await second;
  });
});
