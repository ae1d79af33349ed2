import { LASTING_CODES, PASSING_CODES } from '@tailwater/runtime';
import { MongoError, MongoNetworkError, MongoServerClosedError, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { mongoFailure } from '#consumer/targets/mongo/failures.js';
import { isCodeOfPlace, rejected } from '#consumer/targets/mongo/write-errors.js';

const ORDERS = { database: 'shop', collection: 'orders' };
const whole = (code: number, ...errorLabels: string[]) =>
  mongoFailure(new MongoServerError({ ok: 0, code, errmsg: 'said', errorLabels }), 'here') as { code: string };
const DEFECTS = [1, 8];

describe('mongoFailure', () => {
  it.each([
    ['the driver’s', new MongoNetworkError('closed')],
    ['a socket’s', Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' })],
    ['a server that was closed under the command', new MongoServerClosedError('closed')],
  ])('a lost connection is worth another attempt: %s', (_, error) => {
    expect(mongoFailure(error, 'here')).toMatchObject({ code: 'TW1301', retriable: true });
  });

  it('whatever time cures is worth another attempt, by code or label', () => {
    for (const code of PASSING_CODES) expect([code, whole(code).code]).toEqual([code, DEFECTS.includes(code) ? 'TW1390' : 'TW1310']);
    for (const label of ['RetryableWriteError', 'RetryableError', 'SystemOverloadedError', 'TransientTransactionError'])
      expect(whole(4, label).code).toBe('TW1310');
  });

  it('a document is to blame for a whole command where the server says so, and else by evidence only', () => {
    for (const code of [22, 378, 10_334, 17_419]) expect(whole(code).code).toBe('TW1313');
    for (const code of [2, 4, 59, 322, 28_799]) expect(whole(code)).toMatchObject({ code: 'TW1390', retriable: true });
  });

  it('leaves other errors as they are', () => {
    const error = new TypeError('no function');
    expect(mongoFailure(error, 'here')).toBe(error);
    expect(mongoFailure(new MongoError('odd'), 'here')).toMatchObject({ code: 'TW1313' });
  });
});

describe('the error of a statement', () => {
  const ofStatement = (code: number) => rejected({ index: 0, code, errmsg: 'said' }, ORDERS);

  it('is tried again where time cures it; a defect of the server may be the document’s', () => {
    for (const code of PASSING_CODES) {
      const doubtful = DEFECTS.includes(code);
      expect(ofStatement(code)).toMatchObject({ code: String(code), retriable: true, ...(doubtful ? { doubtful } : {}) });
    }
  });

  it('is the document’s otherwise, or its collection’s', () => {
    for (const code of [...LASTING_CODES, 121, 11_000, 16_755])
      expect(ofStatement(code)).toMatchObject(isCodeOfPlace(code) ? { scope: 'place', retriable: true } : { retriable: false });
  });
});
