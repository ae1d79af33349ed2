import { LASTING_CODES, PASSING_CODES } from '@tailwater/runtime';
import { MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { isMongoRefusal, isRetriableMongoError } from '#producer/source/mongo/mongo-errors.js';

const answer = (code: number) => new MongoServerError({ ok: 0, code, errmsg: 'said by the server' });

describe('the codes of what is read', () => {
  it('pass unless waiting cures nothing; what no table knows passes too, and may be done without', () => {
    for (const code of PASSING_CODES)
      expect([code, isRetriableMongoError(answer(code)), isMongoRefusal(answer(code))]).toEqual([code, true, false]);
    for (const code of LASTING_CODES)
      expect([code, isRetriableMongoError(answer(code)), isMongoRefusal(answer(code))]).toEqual([code, false, true]);
    for (const code of [4, 28_799])
      expect([code, isRetriableMongoError(answer(code)), isMongoRefusal(answer(code))]).toEqual([code, true, true]);
  });
});
