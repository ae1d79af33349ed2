import { MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { isMongoRefusal, isRetriableMongoError } from '#producer/source/mongo/mongo-errors.js';
import { LASTING_CODES, PASSING_CODES } from '#producer/source/mongo/server-codes.js';

const answer = (code: number) => new MongoServerError({ ok: 0, code, errmsg: 'said by the server' });

describe('the codes of the server', () => {
  it('are each of one kind', () => {
    expect([...PASSING_CODES].filter((code) => LASTING_CODES.has(code))).toEqual([]);
  });

  it('pass unless waiting cures nothing; what no table knows passes too, and may be done without', () => {
    for (const code of PASSING_CODES)
      expect([code, isRetriableMongoError(answer(code)), isMongoRefusal(answer(code))]).toEqual([code, true, false]);
    for (const code of LASTING_CODES)
      expect([code, isRetriableMongoError(answer(code)), isMongoRefusal(answer(code))]).toEqual([code, false, true]);
    for (const code of [4, 28_799])
      expect([code, isRetriableMongoError(answer(code)), isMongoRefusal(answer(code))]).toEqual([code, true, true]);
  });
});
