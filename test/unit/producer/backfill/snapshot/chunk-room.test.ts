import { describe, expect, it } from 'vitest';
import { ChunkRoom } from '#producer/backfill/snapshot/chunk-room.js';

const never = new AbortController().signal;
/** Whether it settles without anything more happening. */
const isSettled = (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);

describe('ChunkRoom', () => {
  it('lets in what fits, and the others in their turn', async () => {
    const room = new ChunkRoom(10);
    const first = await room.take(6, never);
    const second = room.take(6, never);
    const third = room.take(1, never);
    expect(await isSettled(second)).toBe(false);
    expect(await isSettled(third)).toBe(false);
    first.resize(4);
    (await second).release();
    await third;
  });

  it('lets in alone what is larger than all of it', async () => {
    const room = new ChunkRoom(10);
    const large = await room.take(16, never);
    const next = room.take(1, never);
    expect(await isSettled(next)).toBe(false);
    large.release();
    large.release();
    await next;
    expect(await isSettled(room.take(9, never))).toBe(true);
    expect(await isSettled(room.take(1, never))).toBe(false);
  });

  it('ends a wait with the signal, and keeps no room for it', async () => {
    const room = new ChunkRoom(10);
    const first = await room.take(10, never);
    const stop = new AbortController();
    const waiting = room.take(10, stop.signal);
    stop.abort(new Error('over'));
    await expect(waiting).rejects.toThrow('over');
    first.release();
    await room.take(10, never);
  });
});
