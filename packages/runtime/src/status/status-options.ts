// How both processes are told where their status server listens, and who may ask it.
import { isIP } from 'node:net';
import { defineOptions, type OptionValues } from '../config/option-spec.js';
import type { Logger } from '../logging/logger.js';
import { readTlsFiles, type TlsMaterial } from '../tls/tls-files.js';

const group = 'Status:';

export const statusOptions = defineOptions({
  statusHost: { type: 'string', group, describe: 'Address of the status server', default: '127.0.0.1' },
  statusPort: { type: 'number', group, describe: 'Port of the status server; 0 takes a free one', default: 0, min: 0, max: 65_535 },
  statusToken: {
    type: 'string',
    group,
    describe: 'Bearer token that /status and /metrics ask for; better given as TAILWATER_STATUS_TOKEN, or file:<path>',
    secret: true,
  },
  statusTlsCert: { type: 'string', group, describe: 'PEM file of the status server’s certificate: it speaks HTTPS then' },
  statusTlsKey: { type: 'string', group, describe: 'PEM file of its private key' },
});

export interface StatusListen {
  readonly host: string;
  readonly port: number;
  readonly token?: string;
  readonly tls?: TlsMaterial;
}

/** @throws TailwaterError TW1007, TW1017, TW1040 to TW1043 for certificate and key */
export function statusListen(given: OptionValues<typeof statusOptions>, logger: Logger): StatusListen {
  const { statusHost: host, statusPort: port, statusToken: token } = given;
  const tls = readTlsFiles({ flag: '--status-tls', cert: given.statusTlsCert, key: given.statusTlsKey });
  if (token === undefined && !isLoopback(host)) {
    logger.warn({ host }, 'The status server listens beyond this machine and asks for no token: give one with --status-token');
  } else if (token !== undefined && tls === undefined && !isLoopback(host)) {
    logger.warn(
      { host },
      'The token of the status server goes over the network in the clear: give it a certificate with --status-tls-cert',
    );
  }
  return { host, port, ...(token === undefined ? {} : { token }), ...(tls === undefined ? {} : { tls }) };
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
