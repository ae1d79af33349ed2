// Where a syslog server listens.
import { errorCodes } from '../errors/catalogue.js';
import { TailwaterError } from '../errors/tailwater-error.js';

export interface SyslogAddress {
  readonly protocol: 'udp' | 'tcp';
  readonly host: string;
  readonly port: number;
}

/** By https://www.rfc-editor.org/rfc/rfc5426 and https://www.rfc-editor.org/rfc/rfc6587. */
const PORTS = { udp: 514, tcp: 601 } as const;

/**
 * `udp://host:514`, `tcp://host:601`, or `host:514`, which is UDP.
 *
 * @throws TailwaterError TW1083 for anything else
 */
export function parseSyslogAddress(text: string): SyslogAddress {
  // Sockets of the datagram kind, such as /dev/log, are out of Node's reach.
  const refuse = (reason: string) => new TailwaterError(errorCodes.BAD_SYSLOG_ADDRESS, { address: text, reason });
  if (text.startsWith('/') || text.startsWith('unix:')) throw refuse('a socket file such as /dev/log cannot be written to');
  const [, scheme = 'udp', host = '', digits] = /^(?:(\w+):\/\/)?(\[[0-9a-f:.]+\]|[^\s:/[\]]+)(?::(\d+))?\/?$/i.exec(text) ?? [];
  const protocol = scheme.toLowerCase();
  if (protocol !== 'udp' && protocol !== 'tcp') throw refuse(`${scheme}:// is neither udp:// nor tcp://`);
  if (host === '') throw refuse('it is not udp://host:port or tcp://host:port');
  const port = digits === undefined ? PORTS[protocol] : Number(digits);
  if (port < 1 || port > 65_535) throw refuse(`there is no port ${port}`);
  return { protocol, host: host.replace(/^\[|\]$/g, ''), port };
}

export const formatSyslogAddress = ({ protocol, host, port }: SyslogAddress): string =>
  `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`;
