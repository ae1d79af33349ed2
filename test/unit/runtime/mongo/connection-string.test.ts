import { srvFailure, TailwaterError, withConnectionString } from '@tailwater/runtime';
import { MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';

const malformed = (cause: unknown): TailwaterError => new TailwaterError('TW1107', { address: 'db' }, { cause });
const make = (uri: string) => withConnectionString(uri, () => new MongoClient(uri), malformed);
const thrown = (uri: string): unknown => {
  try {
    return make(uri);
  } catch (error) {
    return error;
  }
};

describe('withConnectionString', () => {
  it.each([
    ['replicasett=rs0', 'replicasett', 'did you mean replicaSet?'],
    ['w=1&read_preferense=secondary', 'read_preferense', 'did you mean readPreference?'],
    ['foo=1', 'foo', ''],
  ])('names the option that there is not in %s, and the nearest', (query, option, suggestion) => {
    const error = thrown(`mongodb://u:hidden@db/?${query}`) as TailwaterError;
    expect(error).toMatchObject({ code: 'TW1045', message: expect.stringContaining(` unknown option ${option}`) });
    expect(error.message).toContain(suggestion);
    expect(error.message).not.toContain('hidden');
  });

  it('takes options in any case, as MongoDB’s specification wants it', () => {
    expect((make('mongodb://db/?replicaset=rs0&READPREFERENCE=secondary') as MongoClient).options).toMatchObject({
      replicaSet: 'rs0',
      readPreference: { mode: 'secondary' },
    });
  });

  it('leaves what else is wrong to the driver', () => {
    for (const uri of ['mongodb://', 'mongodb://db/?maxPoolSize=-1', 'mongo://db', 'mongodb://db:99999']) {
      expect(thrown(uri)).toMatchObject({ code: 'TW1107' });
    }
  });
});

describe('srvFailure', () => {
  it('knows what the DNS was asked for', () => {
    const failure = (syscall: string) => srvFailure(Object.assign(new Error('no'), { syscall, code: 'ENOTFOUND' }), 'mongodb+srv://x');
    expect([failure('querySrv')?.code, failure('queryTxt')?.code, failure('connect')]).toEqual(['TW1046', 'TW1046', undefined]);
  });
});
