import { MongoError, MongoNetworkTimeoutError, MongoParseError, MongoServerClosedError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { isLabelledPassing, isServerGone } from '#runtime/mongo/passing-failures.js';

describe('failures that time cures', () => {
  it('are those of servers that are gone, by the driver’s names', () => {
    expect(isServerGone(new MongoNetworkTimeoutError('late'))).toBe(true);
    expect(isServerGone(new MongoServerClosedError('closed'))).toBe(true);
    expect(isServerGone(new MongoParseError('odd'))).toBe(false);
  });

  it('are those that say so', () => {
    const error = new MongoError('by the driver');
    expect(isLabelledPassing(error)).toBe(false);
    error.addErrorLabel('ResetPool');
    expect(isLabelledPassing(error)).toBe(true);
  });
});
