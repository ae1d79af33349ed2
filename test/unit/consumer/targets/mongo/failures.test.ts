import { MongoNetworkError, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { mongoFailure } from '#consumer/targets/mongo/failures.js';

describe('mongoFailure', () => {
  it.each([
    ['the driver’s', new MongoNetworkError('closed')],
    ['a socket’s', Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' })],
  ])('a lost connection is worth another attempt: %s', (_, error) => {
    expect(mongoFailure(error, 'here')).toMatchObject({ code: 'TW1301', retriable: true });
  });

  it.each([11601, 215, 216, 117, 46])('the server’s error %i is worth another attempt', (code) => {
    expect(mongoFailure(new MongoServerError({ code, message: 'later' }), 'here')).toMatchObject({ code: 'TW1310', retriable: true });
  });

  it('leaves other errors as they are', () => {
    const error = new TypeError('no function');
    expect(mongoFailure(error, 'here')).toBe(error);
  });
});
