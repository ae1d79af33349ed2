import { TailwaterError } from '@tailwater/runtime';
import { describe, expect, it } from 'vitest';
import { connectWithin } from '#consumer/targets/connect-within.js';

const away = new TailwaterError('TW1301', { target: 'Solr', address: 'http://h' });
const wrong = new TailwaterError('TW1302', { target: 'Solr', address: 'http://h' });

describe('connectWithin', () => {
  it('throws the last failure when the time is up, and at once what time does not cure', async () => {
    const { signal } = new AbortController();
    await expect(connectWithin(0, signal, () => Promise.reject(away))).rejects.toBe(away);
    await expect(connectWithin(60_000, signal, () => Promise.reject(wrong))).rejects.toBe(wrong);
  });

  it.each([away, wrong, Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })])(
    'ends as it was told to, whatever fails then: %s',
    async (error) => {
      const stop = new AbortController();
      const attempt = () => {
        stop.abort(new Error('Stopped by SIGTERM'));
        return Promise.reject(error);
      };
      await expect(connectWithin(60_000, stop.signal, attempt)).rejects.toBe(stop.signal.reason);
    },
  );
});
