import { tlsFailure } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

const failed = (code: string) => Object.assign(new Error('x'), { code });

describe('why TLS failed', () => {
  it.each([
    ['CERT_HAS_EXPIRED', /expired/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /other host names/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /not trusted here/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /not trusted here/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /asks for a client certificate/],
    ['ERR_SSL_TLSV1_ALERT_UNKNOWN_CA', /refused this client/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/],
    ['EPROTO', /handshake failed/],
  ])('%s', (code, reason) => {
    expect(tlsFailure(failed(code))).toEqual({ code, reason: expect.stringMatching(reason) });
  });

  it('is found in what wraps it: a cause, an aggregate, a driver’s description of servers', () => {
    const inner = failed('CERT_HAS_EXPIRED');
    const servers = new Map([['a:1', { error: new Error('no', { cause: inner }) }]]);
    for (const outer of [
      new Error('no', { cause: inner }),
      new AggregateError([inner]),
      Object.assign(new Error('no'), { reason: { servers } }),
    ]) {
      expect(tlsFailure(outer)?.code).toBe('CERT_HAS_EXPIRED');
    }
  });

  it('is nothing where TLS is not the matter, even in a circle', () => {
    const circle: Error & { cause?: unknown } = failed('ECONNREFUSED');
    circle.cause = circle;
    expect(tlsFailure(circle)).toBeUndefined();
    expect(tlsFailure('text')).toBeUndefined();
  });
});
