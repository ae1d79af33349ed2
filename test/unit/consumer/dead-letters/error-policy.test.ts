import { createLogger, systemClock } from '@tailwater/runtime';
import { encodeChangeEvent, Position } from '@tailwater/schema';
import { BSON } from 'bson';
import { describe, expect, test } from 'vitest';
import type { DeadLetterMessage } from '#consumer/dead-letters/dead-letter.js';
import { ErrorPolicy, type OnError } from '#consumer/dead-letters/error-policy.js';
import { decodeRecord } from '#consumer/decode/decode-record.js';
import { change, ORDERS, TestDelivery } from '../support/changes.js';

const place = { topic: 'tw.shop.orders', partition: 3 };
const never = new AbortController().signal;
const rejection = { status: 'rejected', code: '121', reason: 'does not fit', retriable: false } as const;

function policy(onError: OnError, write: (letter: DeadLetterMessage) => Promise<void> = async () => undefined) {
  const letters: DeadLetterMessage[] = [];
  const writer = {
    write: (letter: DeadLetterMessage) => {
      letters.push(letter);
      return write(letter);
    },
  };
  const logger = createLogger({ name: 'test', level: 'silent' });
  return { letters, policy: new ErrorPolicy({ writer, clock: systemClock, logger }, onError, 'mongo') };
}

/** A record, and the error that decoding it gives. */
function undecodable(value: Buffer) {
  const record = { key: Buffer.from('1'), value, offset: '12' };
  try {
    decodeRecord(record, { ...place, namespace: ORDERS });
  } catch (error) {
    return { record, error: error as Error };
  }
  throw new Error('it can be decoded');
}

function ofLaterRelease(): Buffer {
  const document = Buffer.from(BSON.serialize({ _id: 1 }));
  const rest = { op: 'insert', origin: 'tail', wallTimeMs: 0, transaction: null, updateDescription: null } as const;
  const value = encodeChangeEvent({ ...rest, namespace: ORDERS, position: new Position(1, 1), document });
  value.writeBigUInt64LE(0x1234_5678_9abc_def0n, 2);
  return value;
}

describe('ErrorPolicy', () => {
  test('dead-letter: a refused change ends when its letter is written', async () => {
    const each = policy('dead-letter');
    expect(await each.policy.refused(new TestDelivery(change(1, 1)), rejection, never)).toBe('deadLettered');
    expect(each.letters).toHaveLength(1);
  });

  test('a letter that is not written when the partition is given back leaves the change to the next owner', async () => {
    const cut = new AbortController();
    const each = policy('dead-letter', () => new Promise(() => undefined));
    const outcome = each.policy.refused(new TestDelivery(change(1, 1)), rejection, cut.signal);
    cut.abort();
    expect(await outcome).toBe('returned');
  });

  test('a letter that Kafka refuses ends the process', async () => {
    const each = policy('dead-letter', () => Promise.reject(new Error('refused')));
    await expect(each.policy.refused(new TestDelivery(change(1, 1)), rejection, never)).rejects.toThrow('refused');
  });

  test('skip writes nothing, stop throws', async () => {
    const skip = policy('skip');
    expect(await skip.policy.refused(new TestDelivery(change(1, 1)), rejection, never)).toBe('skipped');
    expect(skip.letters).toEqual([]);
    expect(() => policy('stop').policy.refused(new TestDelivery(change(1, 1)), rejection, never)).toThrow(
      expect.objectContaining({ code: 'TW1305' }),
    );
  });

  test.each([
    ['dead-letter', 'nonsense', 'deadLettered'],
    ['skip', 'nonsense', 'skipped'],
    ['skip', 'later', 'skipped'],
  ] as const)('%s: a record of %s is %s', async (onError, kind, outcome) => {
    const { record, error } = undecodable(kind === 'later' ? ofLaterRelease() : Buffer.from('nonsense'));
    expect(policy(onError).policy.waitsAt(record, place, error, true)).toBeUndefined();
    expect(await policy(onError).policy.undecodable(record, place, error, never)).toBe(outcome);
  });

  test('stop: nonsense ends the process', () => {
    const { record, error } = undecodable(Buffer.from('nonsense'));
    expect(() => policy('stop').policy.undecodable(record, place, error, never)).toThrow(expect.objectContaining({ code: 'TW1501' }));
  });

  test.each([
    ['a later release', ofLaterRelease(), 'TW1502', true],
    ['an id without a registry', Buffer.from([0, 0, 0, 0, 7]), 'TW1564', false],
  ] as const)('a record of %s is waited at, and ends the process only when that is asked for', (_, value, code, hasRegistry) => {
    const { record, error } = undecodable(value);
    expect(policy('dead-letter').policy.waitsAt(record, place, error, hasRegistry)).toMatchObject({ code });
    expect(() => policy('stop').policy.waitsAt(record, place, error, hasRegistry)).toThrow(expect.objectContaining({ code }));
  });

  test('an id without a registry is not even skipped, and one that the registry does not know is nobody’s', () => {
    const { record, error } = undecodable(Buffer.from([0, 0, 0, 0, 7]));
    expect(policy('skip').policy.waitsAt(record, place, error, false)).toMatchObject({ code: 'TW1564' });
    expect(policy('dead-letter').policy.waitsAt(record, place, error, true)).toBeUndefined();
  });
});
