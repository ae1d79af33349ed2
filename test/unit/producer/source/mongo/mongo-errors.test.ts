import { TailwaterError } from '@tailwater/runtime';
import {
  MongoError,
  MongoErrorLabel,
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  type TopologyDescription,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { isRetriableMongoError, isUnauthorized, toMongoError } from '#producer/source/mongo/mongo-errors.js';

const server = (code: number, ...errorLabels: string[]) => new MongoServerError({ ok: 0, code, errmsg: 'said by the server', errorLabels });
const selection = (reason: Error) => new MongoServerSelectionError('no server', { error: reason } as unknown as TopologyDescription);

function labelled(label: string): MongoError {
  const error = new MongoError('by the driver');
  error.addErrorLabel(label);
  return error;
}

describe('isRetriableMongoError', () => {
  it.each([
    ['a lost connection', new MongoNetworkError('reset')],
    ['a socket that ended, as Node tells it', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })],
    ['a timeout', new MongoNetworkTimeoutError('late')],
    ['no server', selection(new MongoNetworkError('refused'))],
    ['NotWritablePrimary', server(10_107)],
    ['PrimarySteppedDown', server(189)],
    ['InterruptedDueToReplStateChange', server(11_602)],
    ['InterruptedAtShutdown', server(11_600)],
    ['ShutdownInProgress', server(91)],
    ['NotPrimaryNoSecondaryOk', server(13_435)],
    ['NotPrimaryOrSecondary', server(13_436)],
    ['CursorNotFound', server(43)],
    ['CappedPositionLost: the oplog says whether the place is lost when it is opened again', server(136)],
    ['SnapshotTooOld', server(239)],
    ['SnapshotUnavailable', server(246)],
    ['ReadConcernMajorityNotAvailableYet', server(134)],
    ['QueryPlanKilled', server(175)],
    ['MaxTimeMSExpired', server(50)],
    ['a label for writes', server(1, MongoErrorLabel.RetryableWriteError)],
    ['a label for transactions', server(1, MongoErrorLabel.TransientTransactionError)],
    ['a pool that was cleared', labelled('ResetPool')],
  ])('takes %s for passing', (_, error) => {
    expect(isRetriableMongoError(error)).toBe(true);
  });

  it.each([
    ['Unauthorized', server(13)],
    ['AuthenticationFailed', server(18)],
    ['BadValue', server(2)],
    ['any other of the driver', new MongoError('odd')],
    ['a defect', new TypeError('undefined is not a function')],
    ['nothing', undefined],
  ])('takes %s for lasting', (_, error) => {
    expect(isRetriableMongoError(error)).toBe(false);
  });
});

describe('toMongoError', () => {
  it.each([
    ['TW1101', selection(new MongoNetworkError('refused'))],
    ['TW1101', new MongoNetworkError('reset')],
    ['TW1102', server(18)],
    ['TW1102', selection(server(18))],
    ['TW1102', selection(new MongoNetworkError('handshake', { cause: server(18) }))],
    ['TW1109', server(13)],
    ['TW1112', server(2)],
    ['TW1112', server(11_600)],
    ['TW1046', Object.assign(new Error('querySrv ENOTFOUND'), { syscall: 'querySrv', code: 'ENOTFOUND' })],
  ])('gives %s for %s', (code, error) => {
    const coded = toMongoError(error, 'db.example:27017') as TailwaterError;
    expect(coded).toBeInstanceOf(TailwaterError);
    expect([coded.code, coded.cause]).toEqual([code, error]);
    expect(coded.message).toContain('db.example:27017');
  });

  it('says which members there are where none is what was asked for, and that no member is of this set', () => {
    const found = (servers: [string, { type: string; address: string }][], setName: string | null = null) =>
      toMongoError(
        new MongoServerSelectionError('timed out', { servers: new Map(servers), setName } as unknown as TopologyDescription),
        'db:1',
      );
    const primary = found([['db:1', { type: 'RSPrimary', address: 'db:1' }]]) as TailwaterError;
    expect([primary.code, primary.message]).toEqual(['TW1149', expect.stringContaining('the read preference: it has the primary db:1')]);
    const secondary = found([['db:2', { type: 'RSSecondary', address: 'db:2' }]]) as TailwaterError;
    expect([secondary.code, secondary.message]).toEqual(['TW1149', expect.stringContaining('a primary, or the read preference')]);
    expect(found([], 'rs1')).toMatchObject({ code: 'TW1047', message: expect.stringContaining('rs1') });
    expect(found([['db:1', { type: 'Unknown', address: 'db:1' }]], 'rs1')).toMatchObject({ code: 'TW1101' });
  });

  it('leaves what has no code as it is', () => {
    for (const error of [new TypeError('x'), new TailwaterError('TW1103', { address: 'a' }), 'text']) {
      expect(toMongoError(error, 'a')).toBe(error);
    }
  });
});

describe('isUnauthorized', () => {
  it('goes by the code', () => {
    expect([isUnauthorized(server(13)), isUnauthorized(server(18)), isUnauthorized(new Error('not authorized'))]).toEqual([
      true,
      false,
      false,
    ]);
  });
});
