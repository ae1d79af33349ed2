import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { TopicRecords } from '#producer/encode/record-encoder.js';
import { type Publication, Publisher, type TransactionSender } from '#producer/publish/publisher.js';

/** Holds every send until the test lets it go. */
class GatedSender implements TransactionSender {
  readonly sent: string[] = [];
  inFlight = 0;
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];

  async send(topics: readonly TopicRecords[]): Promise<void> {
    this.sent.push(topics[0]?.topic as string);
    this.inFlight += 1;
    try {
      await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    } finally {
      this.inFlight -= 1;
    }
  }

  async commit(): Promise<void> {
    this.#waiting.shift()?.resolve();
    await turn();
  }

  async fail(message: string): Promise<void> {
    this.#waiting.shift()?.reject(new Error(message));
    await turn();
  }
}

const publication = (topic: string, onCommitted?: () => void): Publication => ({
  topics: [{ topic, messages: [] }],
  ...(onCommitted === undefined ? {} : { onCommitted }),
});

function track(promise: Promise<void>): { state: string } {
  const tracked = { state: 'pending' };
  promise.then(
    () => {
      tracked.state = 'done';
    },
    (error: Error) => {
      tracked.state = error.message;
    },
  );
  return tracked;
}

describe('Publisher', () => {
  it('sends nothing for an empty publication, which is over when all before it is', async () => {
    const sender = new GatedSender();
    const publisher = new Publisher(sender);
    const over: string[] = [];
    await publisher.submit(publication('a'));
    const second = track(publisher.submit({ topics: [], onCommitted: () => void over.push('b') }));
    await turn();
    expect([second.state, over]).toEqual(['pending', []]);
    await sender.commit();
    expect([sender.sent, second.state, over]).toEqual([['a'], 'done', ['b']]);
  });

  it('lets the next be prepared while one is on its way, and makes a third wait', async () => {
    const sender = new GatedSender();
    const publisher = new Publisher(sender);
    await publisher.submit(publication('a'));
    const second = track(publisher.submit(publication('b')));
    await turn();
    expect([sender.sent, second.state]).toEqual([['a'], 'pending']);
    await sender.commit();
    expect([sender.sent, second.state]).toEqual([['a', 'b'], 'done']);
  });

  it('keeps the order and one in flight, also for callers that do not wait', async () => {
    const sender = new GatedSender();
    const publisher = new Publisher(sender);
    const all = ['a', 'b', 'c', 'd'].map((topic) => publisher.submit(publication(topic)));
    for (let n = 1; n <= 4; n++) {
      await turn();
      expect([sender.inFlight, sender.sent.length]).toEqual([1, n]);
      await sender.commit();
    }
    await Promise.all(all);
    expect(sender.sent).toEqual(['a', 'b', 'c', 'd']);
  });

  it('says what was committed, when it was', async () => {
    const sender = new GatedSender();
    const publisher = new Publisher(sender);
    const committed: string[] = [];
    await publisher.submit(publication('a', () => committed.push('a')));
    const flushed = track(publisher.flush());
    await turn();
    expect([committed, flushed.state]).toEqual([[], 'pending']);
    await sender.commit();
    expect([committed, flushed.state]).toEqual([['a'], 'done']);
    await publisher.flush();
  });

  it('sends nothing behind a failure', async () => {
    const sender = new GatedSender();
    const publisher = new Publisher(sender);
    const committed: string[] = [];
    await publisher.submit(publication('a', () => committed.push('a')));
    const behind = [publisher.submit(publication('b')), publisher.submit(publication('c'))].map(track);
    await sender.fail('refused');
    expect(behind.map(({ state }) => state)).toEqual(['refused', 'refused']);
    await expect(publisher.submit(publication('d'))).rejects.toThrow('refused');
    await expect(publisher.flush()).rejects.toThrow('refused');
    expect(() => publisher.throwIfFailed()).toThrow('refused');
    expect([sender.sent, committed]).toEqual([['a'], []]);
  });

  it('does not leave a failure unhandled when nobody comes behind it', async () => {
    const sender = new GatedSender();
    await new Publisher(sender).submit(publication('a'));
    await sender.fail('refused');
    await turn();
  });
});
