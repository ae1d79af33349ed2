import { renderError, TailwaterError } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';

describe('renderError', () => {
  it('says code, what happened, what to do, and why', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
    const text = renderError(
      new TailwaterError('TW1301', { target: 'Solr', address: 'http://u:p@s' }, { cause: new Error('request failed', { cause: refused }) }),
    );
    expect(text).toBe(
      [
        'TW1301 Cannot reach Solr at http://u:***@s',
        'What to do: Check that the server runs, and that host, port and firewall let this machine connect. A',
        '  server that closes each connection at once expects TLS (https:, tls=true), or a client certificate',
        '  that it trusts (--target-tls-cert).',
        'Because: request failed',
        'Because: connect ECONNREFUSED 127.0.0.1:1',
        '',
      ].join('\n'),
    );
  });

  it('says each cause once, shortened and without secrets', () => {
    const inner = new Error(`password=hunter2 ${'x'.repeat(2000)}`);
    const text = renderError(
      new TailwaterError('TW1102', { address: 'h' }, { cause: new Error('outer', { cause: new Error('outer', { cause: inner }) }) }),
    );
    expect(text.match(/Because: /g)).toHaveLength(2);
    expect(text).not.toContain('hunter2');
    expect(text.length).toBeLessThan(1000);
  });

  it('speaks for an AggregateError without a text', () => {
    const cause = new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')]);
    expect(renderError(new TailwaterError('TW1201', { brokers: 'b' }, { cause }))).toContain(
      'ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1',
    );
  });

  it('ends with causes that point at each other', () => {
    const a = new Error('a');
    const b = new Error('b', { cause: a });
    a.cause = b;
    expect(renderError(a).length).toBeLessThan(3000);
  });

  it('gives an error without a code TW1499 and its stack', () => {
    const text = renderError(new TypeError('x is not a function'));
    expect(text).toContain('TW1499 Unexpected error: TypeError: x is not a function');
    expect(text).toContain('render-error.test.ts');
    expect(renderError('just text')).toContain('TW1499 Unexpected error: just text');
  });

  it('wraps at the width of the terminal and colours only when told to', () => {
    const error = new TailwaterError('TW1103', { address: 'h' });
    for (const line of renderError(error, { width: 60 }).split('\n')) expect(line.length).toBeLessThanOrEqual(60);
    expect(renderError(error)).not.toContain('\u001b');
    expect(renderError(error, { color: true })).toContain('\u001b[31m');
  });
});
