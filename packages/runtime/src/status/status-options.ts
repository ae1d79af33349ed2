// How both processes are told where their status server listens, and who may ask it.
import { isIP } from 'node:net';
import type { OptionValues } from '../config/option.js';
import { configOptions } from '../config/schema/configuration.js';
import type { Logger } from '../logging/logger.js';
import { readTlsFiles, type TlsMaterial } from '../tls/tls-files.js';

const { statusHost, statusPort, statusToken, statusTlsCert, statusTlsKey, metricsNamespaces } = configOptions;

export const statusOptions = { statusHost, statusPort, statusToken, statusTlsCert, statusTlsKey, metricsNamespaces } as const;

export interface StatusListen {
  readonly host: string;
  readonly port: number;
  readonly token?: string;
  readonly tls?: TlsMaterial;
}

/** @throws TailwaterError TW1007, TW1017, TW1040 to TW1043 for certificate and key */
export function statusListen(given: Omit<OptionValues<typeof statusOptions>, 'metricsNamespaces'>, logger: Logger): StatusListen {
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
