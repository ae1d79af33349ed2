import { BrokerRefusal, ERROR, TailwaterError } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { toTransactionError } from '#producer/publish/transaction-error.js';

const codeOf = (error: number): unknown =>
  (toTransactionError(new BrokerRefusal(error, 'EndTxn'), '127.0.0.1:9092') as TailwaterError).code;

describe('what a transaction failed with', () => {
  it.each([
    [ERROR.INVALID_PRODUCER_EPOCH, 'TW1205'],
    [ERROR.PRODUCER_FENCED, 'TW1205'],
    [ERROR.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, 'TW1208'],
    [ERROR.MESSAGE_TOO_LARGE, 'TW1204'],
    [ERROR.NOT_ENOUGH_REPLICAS, 'TW1211'],
  ])('is told as what it is: %i', (refusal, code) => {
    expect(codeOf(refusal)).toBe(code);
  });

  it('ends the session and not the producer, whatever a broker answers', () => {
    for (let refusal = -1; refusal < 200; refusal += 1) {
      if (refusal === ERROR.NONE) continue;
      expect(toTransactionError(new BrokerRefusal(refusal, 'EndTxn'), '127.0.0.1:9092'), String(refusal)).toBeInstanceOf(TailwaterError);
    }
    const unexpected = toTransactionError(new BrokerRefusal(ERROR.UNKNOWN_SERVER_ERROR, 'EndTxn'), '127.0.0.1:9092');
    expect(unexpected).toMatchObject({ code: 'TW1222', retriable: true });
    expect((unexpected as Error).message).toContain('EndTxn: UNKNOWN_SERVER_ERROR');
  });

  it('is itself when it is a defect of the program', () => {
    const defect = new RangeError('out of range');
    expect(toTransactionError(defect, '127.0.0.1:9092')).toBe(defect);
  });
});
