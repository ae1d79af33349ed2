import { MongoNetworkError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { mongoFailure } from '../../../../../packages/consumer/src/apply/mongo/failures.js';

describe('mongoFailure', () => {
  it.each([
    ['the driver’s', new MongoNetworkError('closed')],
    ['a socket’s', Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' })],
  ])('a lost connection is worth another attempt: %s', (_, error) => {
    expect(mongoFailure(error, 'here')).toMatchObject({ code: 'TW1301', retriable: true });
  });

  it('leaves other errors as they are', () => {
    const error = new TypeError('no function');
    expect(mongoFailure(error, 'here')).toBe(error);
  });
});
